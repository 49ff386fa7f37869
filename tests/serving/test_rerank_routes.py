"""Ranking in the shapes of Jina, Cohere and text-embeddings-inference; hypotheses by quality."""

from typing import Any

import cohere
import pytest
from cohere.core.api_error import ApiError
from scipy.special import expit, logit
from starlette.testclient import TestClient

from headwise import EntailmentModel, QualityEstimator
from headwise.quality.calibration.blend import Blend
from headwise.quality.calibration.calibrators import PlattCalibrator
from headwise.quality.ranking import worth
from headwise.serving import create_app

QUERY = "Who plays music?"
DOCUMENTS = [
    "A dog runs on the beach.",
    "A man is playing guitar on stage.",
    "Two children kick a ball.",
    "A man is playing guitar on stage.",
    *(f"There are {number} chairs in the hall." for number in range(20)),
]
SOURCE = "A dog runs on the beach."
HYPOTHESES = ["Ein Hund läuft am Bahnhof.", "Ein Hund läuft am Strand.", "Ein Hund am Strand."]


@pytest.fixture(scope="module")
def ranking(entailment: EntailmentModel) -> list[tuple[int, float]]:
    return [(one.index, one.score) for one in entailment.rerank(QUERY, DOCUMENTS)]


def places_and_scores(results: list[dict[str, Any]], score: str) -> list[tuple[int, float]]:
    return [(one["index"], one[score]) for one in results]


@pytest.mark.parametrize("path", ["/v1/rerank", "/rerank"])
def test_jina(client: TestClient, path: str, ranking: list[tuple[int, float]]) -> None:
    body = {"model": "minilm-snli", "query": QUERY, "documents": DOCUMENTS, "other": 1}
    answer = client.post(path, json=body).json()
    found = places_and_scores(answer["results"], "relevance_score")
    assert [place for place, _ in found] == [place for place, _ in ranking]
    assert [score for _, score in found] == pytest.approx([s for _, s in ranking], abs=1e-6)
    assert answer["results"][0]["document"] == {"text": DOCUMENTS[1]}
    assert answer["usage"]["total_tokens"] > len(DOCUMENTS)


def test_some_and_without_documents(client: TestClient, ranking: list[tuple[int, float]]) -> None:
    documents = [{"text": text, "id": place} for place, text in enumerate(DOCUMENTS)]
    body = {"query": QUERY, "documents": documents, "top_n": 2}
    results = client.post("/v1/rerank", json=body).json()["results"]
    assert [one["index"] for one in results] == [place for place, _ in ranking[:2]]
    assert results[0]["document"] == documents[ranking[0][0]]
    results = client.post("/v1/rerank", json=body | {"return_documents": False}).json()["results"]
    assert all(one.keys() == {"index", "relevance_score"} for one in results)


def test_text_embeddings_inference(client: TestClient, ranking: list[tuple[int, float]]) -> None:
    body = {"query": QUERY, "texts": DOCUMENTS, "raw_scores": True}
    raw = places_and_scores(client.post("/rerank", json=body).json(), "score")
    assert [score for _, score in raw] == pytest.approx([s for _, s in ranking], abs=1e-6)
    body |= {"raw_scores": False, "return_text": True}
    found = client.post("/rerank", json=body).json()
    assert found[0]["text"] == DOCUMENTS[1]
    means = [one["score"] for one in found]
    assert means == sorted(means, reverse=True)
    assert all(-1 <= mean <= 1 for mean in means)
    assert means[0] / means[-1] == pytest.approx(raw[0][1] / raw[-1][1])


def test_cohere_client(live_server: str, ranking: list[tuple[int, float]]) -> None:
    client = cohere.ClientV2(api_key="none", base_url=live_server)
    found = client.rerank(model="minilm-snli", query=QUERY, documents=DOCUMENTS, top_n=3)
    assert [one.index for one in found.results] == [place for place, _ in ranking[:3]]
    assert [one.relevance_score for one in found.results] == pytest.approx(
        [score for _, score in ranking[:3]], abs=1e-6
    )
    assert found.meta is not None
    with pytest.raises(ApiError) as raised:
        client.rerank(
            model="minilm-snli",
            query=QUERY,
            documents=DOCUMENTS,
            request_options={"additional_body_parameters": {"top_k": 3}},
        )
    assert raised.value.status_code == 422
    assert raised.value.body["error"]["param"] == "top_k"


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank"])
def test_hypotheses_by_quality(client: TestClient, estimator: QualityEstimator, path: str) -> None:
    body = {"model": "tiny-en-de", "query": SOURCE, "documents": HYPOTHESES}
    results = client.post(path, json=body).json()["results"]
    expected = estimator.rerank(SOURCE, HYPOTHESES)
    assert [HYPOTHESES[one["index"]] for one in results] == [one.hypothesis for one in expected]
    for one, scored in zip(results, expected, strict=True):
        assert one["relevance_score"] == pytest.approx(worth(scored), abs=1e-6)
        assert one["headwise"]["hypothesis"] == scored.hypothesis


def test_hypotheses_as_the_calibration_ranks_them(estimator: QualityEstimator) -> None:
    assert estimator.calibration is not None
    ranking = Blend.alone("softmax", "mean")
    blend = Blend(
        signals=("error", "logprob"),  # type: ignore[arg-type]
        weights=(1.5, 0.5),
        means=(3.0, -1.0),
        scales=(2.0, 1.5),
        intercept=0.5,
    )
    token = PlattCalibrator(slope=1.0, intercept=0.25, on_logit=True)
    weighed = {"ranking": ranking, "blend": blend, "token": token}
    own = QualityEstimator(
        estimator.backbone,
        estimator.head,
        error_head=estimator.error_head,
        prompt=estimator.prompt,
        calibration=estimator.calibration.model_copy(update=weighed),
    )
    known = {text: own.score(SOURCE, text, signals=["softmax"]).score for text in HYPOTHESES}
    with TestClient(create_app(quality=own), raise_server_exceptions=False) as client:
        name = client.get("/v1/models").json()["data"][0]
        body = {"model": name["id"], "query": SOURCE, "documents": HYPOTHESES}
        results = client.post("/v1/rerank", json=body).json()["results"]
        asked = {"source": SOURCE, "hypotheses": HYPOTHESES}
        signals = ["quality", "error", "logprob"]
        rows = {"source": SOURCE, "hypothesis": HYPOTHESES[0], "level": "token", "signals": signals}
        (row,) = client.post("/v1/score", json=rows).json()["data"]
        views = client.post("/v1/score/view", json=asked).json()["data"]
    assert name["headwise"]["quality"] == own.calibration.described  # type: ignore[union-attr]
    assert name["headwise"]["quality"]["ranking"] == "mean of softmax"
    order = sorted(HYPOTHESES, key=lambda text: -(known[text] or 0.0))
    assert [HYPOTHESES[one["index"]] for one in results] == order
    for one in results:
        softmax = known[HYPOTHESES[one["index"]]]
        assert one["relevance_score"] == pytest.approx(softmax, abs=1e-6)
        assert one["headwise"]["ranking_score"] == one["relevance_score"]
    for one in row["tokens"]:
        if not one.get("special"):
            total = 0.5 + 1.5 * (logit(1.0 - one["error"]) - 3.0) / 2.0
            total += 0.5 * (one["logprob"] + 1.0) / 1.5
            assert one["quality"] == pytest.approx(expit(total + 0.25), abs=1e-6)
    worths = [one["view"]["worth"] for one in views]
    assert worths == pytest.approx([known[text] for text in HYPOTHESES], abs=1e-6)


def test_by_a_signal_of_which_less_is_better(
    client: TestClient, estimator: QualityEstimator
) -> None:
    body = {
        "model": "tiny-en-de",
        "query": SOURCE,
        "documents": HYPOTHESES,
        "signals": ["error"],
        "top_n": 1,
    }
    (best,) = client.post("/v1/rerank", json=body).json()["results"]
    expected = estimator.rerank(SOURCE, HYPOTHESES, signals=["error"])
    assert HYPOTHESES[best["index"]] == expected[0].hypothesis
    assert expected[0].score is not None
    assert best["relevance_score"] <= 0 or expected[0].score <= expected[1].score  # type: ignore[operator]


@pytest.mark.parametrize(
    ("path", "body", "status", "param"),
    [
        ("/v1/rerank", {"query": QUERY}, 400, "documents"),
        ("/v1/rerank", {"query": QUERY, "documents": ["A dog.", ""]}, 422, "documents.1"),
        ("/v1/rerank", {"query": "so " * 600, "documents": ["A dog."]}, 422, "query"),
        ("/v1/rerank", {"query": QUERY, "documents": ["A dog."], "top_n": 0}, 400, "top_n"),
        ("/v1/rerank", {"query": QUERY, "documents": ["A dog."] * 257}, 413, "documents"),
        ("/v1/rerank", {"model": "x", "query": QUERY, "documents": ["A dog."]}, 404, "model"),
        ("/rerank", {"query": QUERY, "documents": ["A."], "texts": ["A."]}, 400, None),
    ],
)
def test_refused(
    client: TestClient, path: str, body: dict[str, object], status: int, param: str | None
) -> None:
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)
