"""The server's app as two replicas of Ray Serve."""

import json
import socket
import urllib.request

import pytest
from made_pair_tables import PAIRS

from headwise.distributed.serving import ReplicaSettings, serve_app


@pytest.mark.usefixtures("two_workers")
def test_replicas_answer_as_the_server_does(scores: dict[str, float]) -> None:
    from ray import serve

    settings = ReplicaSettings(entailment=None, least_replicas=2, most_replicas=2)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    try:
        serve.run(serve_app(settings), name="headwise", route_prefix="/")
        (deployment,) = serve.status().applications["headwise"].deployments.values()
        assert deployment.replica_states == {"RUNNING": 2}
        source, hypothesis = PAIRS[0]
        body = json.dumps({"source": source, "hypothesis": hypothesis}).encode()
        ask = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/score", body, {"Content-Type": "application/json"}
        )
        for _ in range(4):  # whichever replica answers
            with urllib.request.urlopen(ask, timeout=60) as answer:
                (row,) = json.loads(answer.read())["data"]
            assert row["score"] == pytest.approx(scores[hypothesis], abs=1e-6)
    finally:
        serve.shutdown()


def test_a_replica_has_the_settings_of_a_server() -> None:
    settings = ReplicaSettings.model_validate({"model": "tiny-en-de", "gpus": "0.5"})

    assert settings.server.model == "tiny-en-de"
    assert settings.gpus == 0.5
