"""Claims against a source and routes over HTTP: the rows of the command, and long sources."""

import threading
import time

import pytest
from starlette.testclient import TestClient

from headwise import EntailmentModel
from headwise.entailment.rows import routing_row, validation_row

SOURCE = "A man is playing guitar on stage. The hall is empty. Two dogs run on the beach."
CLAIMS = [
    "A person is making music.",
    "The dogs are asleep.",
    "The man is a doctor.",
    "A person is making music and animals are outside.",
]
ROUTES = {"sports": ["People play a game.", "People run."], "music": "People make music."}


def same(found: object, expected: object) -> bool:
    """Whether two rows are equal, but for the rounding of a batch."""
    if isinstance(expected, dict):
        assert isinstance(found, dict)
        return found.keys() == expected.keys() and all(same(found[k], expected[k]) for k in found)
    if isinstance(expected, list):
        assert isinstance(found, list)
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, float):
        return found == pytest.approx(expected, abs=1e-6)
    return found == expected


@pytest.mark.parametrize(
    "options", [{}, {"top_k": 1, "window": 2, "min_similarity": -1.0}, {"together": 1}]
)
def test_claims(client: TestClient, entailment: EntailmentModel, options: dict[str, float]) -> None:
    body = {"source": SOURCE, "claims": CLAIMS, **options}
    found = client.post("/v1/check", json=body).json()
    assert found["model"] == "minilm-snli"
    for row, claim in zip(found["data"], CLAIMS, strict=True):
        expected = validation_row(entailment.validate(SOURCE, claim, **options))  # type: ignore[arg-type]
        assert same(row, {"claim": claim, **expected})


def test_one_claim_and_a_threshold(client: TestClient) -> None:
    body = {"source": SOURCE, "claim": CLAIMS[0]}
    assert client.post("/v1/check", json=body).json()["data"][0]["verdict"] == "supported"
    found = client.post("/v1/check", json=body | {"threshold": 0.0}).json()["data"][0]
    assert found["verdict"] == "uncertain"


def test_a_long_source_lets_others_have_their_turns(
    client: TestClient,
) -> None:
    source = " ".join(
        f"Chair number {number} stands in hall {number % 7}." for number in range(250)
    )
    source += " A man is playing guitar on stage."
    answers = []
    ended = threading.Event()

    def check() -> None:
        answers.append(client.post("/v1/check", json={"source": source, "claim": CLAIMS[0]}))
        ended.set()

    thread = threading.Thread(target=check)
    thread.start()
    between = 0
    while not ended.is_set():
        assert client.post("/v1/embeddings", json={"input": "A dog."}).status_code == 200
        between += not ended.is_set()
        time.sleep(0.001)
    thread.join()
    assert between > 1
    (row,) = answers[0].json()["data"]
    assert row["verdict"] == "supported"
    first = row["evidence"][0]
    assert source[first["start"] : first["end"]] == "A man is playing guitar on stage."


@pytest.mark.parametrize("by", ["auto", "similarity", "both", "entailment"])
@pytest.mark.parametrize("min_score", [None, 0.0, 0.99])
def test_routes(
    client: TestClient, entailment: EntailmentModel, by: str, min_score: float | None
) -> None:
    query = "Two children kick a ball on a field."
    body = {"query": query, "routes": ROUTES, "by": by, "min_score": min_score}
    found = client.post("/v1/route", json=body).json()
    routing = entailment.route(query, ROUTES, by=by, min_score=min_score)  # type: ignore[arg-type]
    expected = {"object": "route", "model": "minilm-snli", "query": query, **routing_row(routing)}
    assert same(found, expected)


def test_routes_that_name_themselves(client: TestClient) -> None:
    body = {"query": "A dog runs.", "routes": ["An animal moves.", "Nobody moves."]}
    found = client.post("/v1/route", json=body).json()
    assert set(found["scores"]) == set(body["routes"])
    assert found["by"] == "similarity"
    found = client.post("/v1/route", json=body | {"threshold": 0.0, "by": "entailment"}).json()
    assert found["route"] is None


def test_examples_choose_the_way(client: TestClient, entailment: EntailmentModel) -> None:
    examples = [
        ("Two children kick a ball on a field.", "sports"),
        ("A woman plays the violin.", "music"),
        ("It rains.", None),
    ]
    query = "A man hits a ball with a bat."
    router = entailment.choose_router(ROUTES, examples)
    given = [{"query": text, "route": name} for text, name in examples]
    body = {"query": query, "routes": ROUTES, "examples": given}
    found = client.post("/v1/route", json=body).json()
    expected = routing_row(router.route(query))
    assert "of 3 examples" in expected["why"]
    assert same(found, {"object": "route", "model": "minilm-snli", "query": query, **expected})


@pytest.mark.parametrize(
    ("path", "body", "status", "param"),
    [
        ("/v1/check", {"source": SOURCE}, 400, None),
        ("/v1/check", {"source": SOURCE, "claim": "A.", "top_k": 0}, 400, "top_k"),
        ("/v1/check", {"source": SOURCE, "claim": "A.", "colour": 1}, 400, "colour"),
        ("/v1/check", {"source": "", "claim": "A dog."}, 422, "source"),
        ("/v1/check", {"source": SOURCE, "claims": ["A dog.", "so " * 600]}, 422, "claims.1"),
        ("/v1/check", {"source": SOURCE, "claims": ["A dog."] * 257}, 413, "claims"),
        ("/v1/route", {"query": "A dog.", "routes": {}}, 400, None),
        ("/v1/route", {"query": "A dog.", "routes": {"a": "x", "b": "x"}}, 400, None),
        ("/v1/route", {"query": "A dog.", "routes": ["x"], "by": "chance"}, 400, "by"),
        ("/v1/route", {"query": "", "routes": ["x"]}, 422, None),
        ("/v1/route", {"query": "A dog.", "routes": ["x"], "examples": []}, 400, "examples"),
        (
            "/v1/route",
            {"query": "A.", "routes": ["x"], "examples": [{"query": "A dog.", "route": "y"}]},
            400,
            None,
        ),
        (
            "/v1/route",
            {
                "query": "A.",
                "routes": ["x"],
                "by": "both",
                "examples": [{"query": "A dog.", "route": "x"}],
            },
            400,
            None,
        ),
    ],
)
def test_refused(
    client: TestClient, path: str, body: dict[str, object], status: int, param: str | None
) -> None:
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)
