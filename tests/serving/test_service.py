"""Models come when they are loaded; who asks too early, or for another one, is told so."""

import threading
from typing import Any

import pytest
from starlette.testclient import TestClient

from headwise import QualityEstimator
from headwise.serving import ServerSettings, create_app
from headwise.serving import service as services

BODY = {"source": "A dog.", "hypothesis": "Ein Hund."}


def test_requests_wait_for_no_model_and_are_served_once_it_is_there(
    estimator: QualityEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = threading.Event()

    def load(_: Any) -> QualityEstimator:
        assert loaded.wait(10)
        return estimator

    monkeypatch.setattr(services, "load_quality", load)
    with TestClient(create_app(ServerSettings(entailment=None))) as client:
        early = client.post("/v1/score", json=BODY)
        assert early.status_code == 503
        assert early.headers["retry-after"]
        assert early.json()["error"]["code"] == "model_loading"
        loaded.set()
        service = client.app.state.service  # type: ignore[attr-defined]
        service._loading.join(10)
        assert client.post("/v1/score", json=BODY).status_code == 200


def test_a_model_that_cannot_be_loaded_is_said(tmp_path: Any) -> None:
    settings = ServerSettings(model=str(tmp_path / "none"), entailment=None)
    with TestClient(create_app(settings)) as client:
        service = client.app.state.service  # type: ignore[attr-defined]
        service._loading.join(30)
        answer = client.post("/v1/score", json=BODY)
    assert answer.status_code == 503
    assert "none" in answer.json()["error"]["message"]
    assert answer.json()["error"]["code"] == "model_failed"


def test_a_server_without_a_language_model_says_how_to_have_one() -> None:
    with TestClient(create_app(ServerSettings(model=None, entailment=None))) as client:
        answer = client.post("/v1/score", json=BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert "--model" in answer.json()["error"]["message"]


def test_a_failure_of_ours_says_nothing_of_its_inside(
    estimator: QualityEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("secret path")

    monkeypatch.setattr("headwise.serving.quality_service.scored_batches", fail)
    app = create_app(ServerSettings(entailment=None), quality=estimator)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post("/v1/score", json=BODY)
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "server_error")
    assert "secret" not in answer.text
