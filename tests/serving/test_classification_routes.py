"""Entailment of pairs in the shapes of vLLM and text-embeddings-inference, with abstention."""

import math

import pytest
from starlette.testclient import TestClient

from headwise import EntailmentModel
from headwise.entailment import Prediction
from headwise.entailment.rows import prediction_row
from headwise.serving import create_app

PAIRS = [
    ["A man is playing guitar on stage.", "A person is making music."],
    ["A dog runs on the beach.", "A cat sleeps."],
    ["Two children kick a ball.", "The children are brothers."],
]


@pytest.fixture(scope="module")
def expected(entailment: EntailmentModel) -> list[Prediction]:
    return entailment.predict(*map(list, zip(*PAIRS, strict=True)))


@pytest.mark.parametrize(
    "given",
    [
        {"input": PAIRS},
        {"text_1": [pair[0] for pair in PAIRS], "text_2": [pair[1] for pair in PAIRS]},
    ],
)
def test_vllm(client: TestClient, expected: list[Prediction], given: dict[str, object]) -> None:
    answer = client.post("/v1/classify", json={"model": "minilm-snli", "user": "me", **given})
    found = answer.json()
    assert (found["object"], found["model"]) == ("list", "minilm-snli")
    assert found["usage"]["prompt_tokens"] == found["usage"]["total_tokens"] > 30
    for place, (row, one) in enumerate(zip(found["data"], expected, strict=True)):
        assert (row["index"], row["label"], row["num_classes"]) == (place, one.label, 3)
        assert row["probs"] == pytest.approx(list(one.probabilities.values()), abs=1e-6)
        beside = prediction_row(one)
        assert row["headwise"]["abstain"] == beside["abstain"]
        assert row["headwise"]["uncertainty"] == pytest.approx(beside["uncertainty"], abs=1e-6)


def test_one_text_goes_with_all(client: TestClient, entailment: EntailmentModel) -> None:
    body = {"text_1": PAIRS[0][0], "text_2": ["A person is making music.", "A man sleeps."]}
    found = client.post("/v1/classify", json=body).json()["data"]
    expected = entailment.predict(body["text_1"], body["text_2"])
    assert [row["label"] for row in found] == [one.label for one in expected]


def test_text_embeddings_inference(client: TestClient, expected: list[Prediction]) -> None:
    batch = client.post("/predict", json={"inputs": PAIRS, "truncate": True}).json()
    for row, one in zip(batch, expected, strict=True):
        ranked = sorted(one.probabilities.items(), key=lambda item: -item[1])
        assert [label["label"] for label in row] == [name for name, _ in ranked]
        assert [label["score"] for label in row] == pytest.approx(
            [share for _, share in ranked], abs=1e-6
        )
        assert {label["abstain"] for label in row} == {one.abstain}
    ((first, *_),) = [client.post("/predict", json={"inputs": PAIRS[0]}).json()]
    assert first["label"] == expected[0].label
    raw = client.post("/predict", json={"inputs": PAIRS[0], "raw_scores": True}).json()
    assert sum(math.exp(label["score"]) for label in raw) == pytest.approx(1)


@pytest.mark.parametrize(("threshold", "abstains"), [(0.0, True), (1.1, False)])
def test_another_threshold(client: TestClient, threshold: float, abstains: bool) -> None:
    asked = {"threshold": threshold}
    rows = client.post("/v1/classify", json={"input": PAIRS, **asked}).json()["data"]
    assert {row["headwise"]["abstain"] for row in rows} == {abstains}
    rows = client.post("/predict", json={"inputs": PAIRS, **asked}).json()
    assert {label["abstain"] for row in rows for label in row} == {abstains}


@pytest.mark.parametrize(
    ("path", "body", "status", "param"),
    [
        ("/v1/classify", {"input": "A dog."}, 400, "input"),
        ("/v1/classify", {"input": ["A dog.", "A cat."]}, 400, "input.0"),
        ("/v1/classify", {"text_1": "A dog."}, 400, None),
        ("/v1/classify", {"text_1": ["A."], "text_2": ["A.", "B."]}, 400, None),
        ("/v1/classify", {"input": [["A dog.", "A cat."], ["", "A cat."]]}, 422, "input.1"),
        ("/predict", {"inputs": "A dog."}, 400, "inputs"),
        ("/predict", {"inputs": []}, 400, "inputs"),
        ("/predict", {"inputs": [["so " * 600, "A cat."]], "truncate": True}, 422, "inputs.0"),
    ],
)
def test_refused(
    client: TestClient, path: str, body: dict[str, object], status: int, param: str | None
) -> None:
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)


def test_an_encoder_without_heads(entailment: EntailmentModel) -> None:
    app = create_app(entailment=EntailmentModel(entailment.backbone), quality=None)
    app.state.service.settings = app.state.service.settings.model_copy(update={"model": None})
    with TestClient(app) as client:
        for path, body in (
            ("/v1/classify", {"input": PAIRS}),
            ("/v1/check", {"source": "A dog runs.", "claim": "A dog."}),
            ("/v1/systemone", {"state": "A dog runs.", "questions": {
                "a": {"type": "noul", "instructions": "A dog."}}}),
        ):  # fmt: skip
            answer = client.post(path, json=body)
            assert answer.status_code == 400
            assert "needs heads" in answer.json()["error"]["message"]
        assert client.post("/v1/embeddings", json={"input": "A dog."}).status_code == 200
