"""What those who run a server ask it: is it alive, is it ready, what does it do, what is it."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

import headwise
from headwise import QualityEstimator
from headwise.serving import ServerSettings, create_app, service


def test_health_and_readiness(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    response = client.get("/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ready", "missing": []})


def test_versions_name_what_is_served(client: TestClient) -> None:
    said = client.get("/version").json()
    assert said["headwise"] == headwise.__version__
    assert re.match(r"\d+\.\d+", said["torch"])
    assert said["models"] == [
        {"name": "tiny-en-de", "kind": "language model"},
        {"name": "minilm-snli", "kind": "encoder"},
    ]


def not_ready(client: TestClient) -> dict[str, Any]:
    response = client.get("/ready")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    said: dict[str, Any] = response.json()
    assert said["error"]["code"] == said["status"]
    return said


def test_a_server_that_loads_says_what_is_missing(
    estimator: QualityEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(ServerSettings(entailment="minilm-snli"), quality=estimator)
    monkeypatch.setattr(service.Service, "_load", lambda _: None)
    with TestClient(app) as client:
        said = not_ready(client)
        assert (said["status"], said["missing"]) == ("loading", ["minilm-snli"])
        assert client.get("/health").status_code == 200
        app.state.service.failure = ValueError("no such folder")
        said = not_ready(client)
        assert said["status"] == "failed"
        assert "no such folder" in said["error"]["message"]


def test_a_server_that_stops_is_not_ready(estimator: QualityEstimator) -> None:
    app = create_app(ServerSettings(entailment=None), quality=estimator)
    with TestClient(app) as client:
        app.state.places.stop()
        assert not_ready(client)["status"] == "stopping"
        response = client.post("/v1/score", json={"texts": ["Ein Hund."]})
        assert (response.status_code, response.json()["error"]["code"]) == (503, "stopping")
        assert client.get("/health").status_code == 200


def test_metrics_count_what_was_scored(client: TestClient) -> None:
    def numbers() -> dict[str, float]:
        lines = client.get("/metrics").text.splitlines()
        found = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in found}

    before = numbers()
    pairs = [["Two dogs play.", "Zwei Hunde spielen."], ["A dog.", "Ein Hund."]]
    assert client.post("/v1/score", json={"pairs": pairs}).status_code == 200
    after = numbers()

    def grown(name: str) -> float:
        return after[name] - before.get(name, 0.0)

    answered = 'headwise_http_requests_total{method="POST",route="/v1/score",status="200"}'
    assert grown(answered) == 1
    assert grown('headwise_batch_items_sum{model="tiny-en-de"}') == 2
    assert grown('headwise_batch_tokens_sum{model="tiny-en-de"}') > 10
    assert grown('headwise_queue_wait_seconds_count{model="tiny-en-de"}') >= 1
    assert after['headwise_queue_length{model="tiny-en-de"}'] == 0
    assert after["headwise_http_requests_in_work"] == 0
    assert after["process_resident_memory_bytes"] > 1e8
