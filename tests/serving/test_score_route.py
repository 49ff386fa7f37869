"""``POST /v1/score``: the records of ``headwise score`` over HTTP."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from headwise import QualityEstimator
from headwise.backbones import CausalBackbone, EncoderBackbone
from headwise.data.writers import scored_row
from headwise.serving import ServerSettings, create_app
from headwise.serving.quality_service import ScoringPairs

SOURCE, GOOD, BAD = "A dog runs on the beach.", "Ein Hund läuft am Strand.", "Ein Hund läuft."
NDJSON = {"content-type": "application/x-ndjson"}


def close(found: Any, expected: Any) -> bool:
    """Equal, numbers to 1e-6."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(close(found[k], expected[k]) for k in found)
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(close, found, expected))
    if isinstance(expected, float):
        return bool(found == pytest.approx(expected, abs=1e-6))
    return bool(found == expected)


@pytest.mark.parametrize("level", ["sentence", "word", "token"])
def test_rows_are_those_of_the_library(
    client: TestClient, estimator: QualityEstimator, level: Any
) -> None:
    signals = ["quality", "error", "omission", "softmax", "rank"]
    pairs = [{"source": SOURCE, "hypothesis": text, "id": text[-4:]} for text in (GOOD, BAD)]
    answer = client.post(
        "/v1/score",
        json={"pairs": pairs, "signals": signals, "level": level, "alternatives": 2},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["model"] == "tiny-en-de"
    expected = estimator.score_many(pairs, signals=signals, alternatives=2)
    for row, scored in zip(answer.json()["data"], expected, strict=True):
        gaps = [(gap["place"], gap["omission"]) for gap in row.pop("gaps")]
        assert close(gaps, [(gap.place, gap.omission) for gap in scored.gaps(above=0.0)])
        spans = row.pop("spans")
        assert [one for one in row["to_check"] if one["end"] > one["start"]] == spans
        assert close(row, json.loads(json.dumps(scored_row(scored, level))))


def test_one_pair_a_tuple_and_a_text_without_source(
    client: TestClient, estimator: QualityEstimator
) -> None:
    def score(**body: Any) -> Any:
        answer = client.post("/v1/score", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"][0]["score"]

    expected = estimator.score(SOURCE, GOOD).score
    assert score(source=SOURCE, hypothesis=GOOD) == pytest.approx(expected, abs=1e-6)
    assert score(pairs=[[SOURCE, GOOD]]) == pytest.approx(expected, abs=1e-6)
    raw = QualityEstimator.from_pretrained("tiny-en-de", prompt="raw")
    assert score(texts=[GOOD]) == pytest.approx(raw.score(None, GOOD).score, abs=1e-6)


def test_thresholds_are_those_of_the_request(client: TestClient) -> None:
    def flagged(**wishes: Any) -> Any:
        body = {"source": SOURCE, "hypothesis": BAD, **wishes}
        row = client.post("/v1/score", json=body).json()["data"][0]
        return row["threshold"], len(row["spans"])

    strict, lenient = flagged(threshold=1.0), flagged(threshold=0.0)
    assert strict == (1.0, 1)
    assert lenient == (0.0, 0)


WRONG: list[tuple[dict[str, Any], int, str | None, str | None]] = [
    ({}, 400, None, "one of the three"),
    ({"texts": ["a"], "source": "b"}, 400, None, "one of the three"),
    ({"source": "a", "hypothesis": "b", "beams": 3}, 400, "beams", "Unrecognized"),
    ({"pairs": [["a", 3]]}, 422, "pairs.0", "must be text"),
    ({"pairs": [["a", "b"], ["a", " "]]}, 422, "pairs.1", "empty"),
    ({"pairs": [["a"]]}, 422, "pairs.0", "pair must be"),
    ({"pairs": [{"x": "a"}]}, 422, "pairs.0", "no source"),
    ({"source": "a", "hypothesis": "b " * 600}, 422, None, "512"),
    ({"source": "a", "hypothesis": "b", "signals": ["nix"]}, 400, None, "not a valid Signal"),
    ({"source": "a", "hypothesis": "b", "threshold": 2}, 400, None, "threshold"),
    ({"source": "a", "hypothesis": "b", "level": "page"}, 400, "level", "sentence"),
    ({"source": "a", "hypothesis": "b", "variables": {"x": "y"}}, 400, None, "no variable"),
    ({"source": "a", "hypothesis": "b", "model": "other"}, 404, "model", "tiny-en-de"),
    ({"texts": ["a"] * 257}, 413, "texts", "256"),
]


@pytest.mark.parametrize(("body", "status", "param", "says"), WRONG)
def test_what_is_wrong_is_said_as_openai_says_it(
    client: TestClient, body: dict[str, Any], status: int, param: str | None, says: str
) -> None:
    answer = client.post("/v1/score", json=body)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["param"] == param
    assert says in error["message"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/score", {"pairs": [["a", "b"], ["a", "x " * 10**6]]}),
        ("/v1/embeddings", {"input": ["a", "x " * 10**6]}),
        ("/predict", {"inputs": ["a", "x " * 10**6]}),
    ],
)
def test_endless_texts_are_refused_without_reading_them(
    client: TestClient, path: str, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    for backbone in (CausalBackbone, EncoderBackbone):

        def encode(self: Any, texts: Any, *_: Any, own: Any = backbone.encode, **more: Any) -> Any:
            read.append(max((len(str(text)) for text in texts), default=0))
            return own(self, texts, *_, **more)

        monkeypatch.setattr(backbone, "encode", encode)
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "context_length_exceeded")
    assert "2,000,000 characters" in answer.json()["error"]["message"]
    assert max(read, default=0) < 100


@pytest.mark.parametrize("content", [b"", b'{"source": ', b"\xff\xfe", b"[]", b'"text"'])
def test_bodies_that_are_no_object(client: TestClient, content: bytes) -> None:
    answer = client.post("/v1/score", content=content)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


def test_lines_come_back_in_order_with_what_is_wrong_in_its_place(
    client: TestClient, estimator: QualityEstimator
) -> None:
    texts = [f"Ein Hund läuft {number} Mal." for number in range(300)]
    lines = [
        json.dumps({"source": SOURCE, "hypothesis": text, "id": i}) for i, text in enumerate(texts)
    ]
    lines[7], lines[150], lines[299] = "kaputt", '{"x": 1}', json.dumps([SOURCE, ""])
    lines.insert(20, "")
    answer = client.post(
        "/v1/score",
        params={"signals": "error,softmax", "level": "token"},
        content="\n".join(lines),
        headers=NDJSON,
    )
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row.get("id") for row in rows] == [
        None if i in (7, 150, 299) else i for i in range(300)
    ]
    assert [row["line"] for row in rows if "error" in row and "line" in row] == [8, 152, 301]
    expected = estimator.score(SOURCE, texts[200], signals=["error", "softmax"])
    assert close(
        rows[200]["signals"],
        {"error": expected.score, "softmax": expected.aggregate(signal="softmax")},
    )


@pytest.mark.parametrize(
    ("query", "status"),
    [("signals=nix", 400), ("level=page", 400), ("beams=3", 400), ("variable=x=y", 400)],
)
def test_options_of_lines_are_checked_before_the_first_one(
    client: TestClient, query: str, status: int
) -> None:
    answer = client.post(f"/v1/score?{query}", content=b'["a", "b"]', headers=NDJSON)
    assert answer.status_code == status, answer.text


def test_many_clients_at_once_share_batches_and_keep_their_own(
    estimator: QualityEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    run = ScoringPairs.run

    def counted(self: ScoringPairs, codes: Any) -> Any:
        batches.append(len(codes))
        return run(self, codes)

    monkeypatch.setattr(ScoringPairs, "run", counted)
    texts = [f"Ein Hund läuft {'sehr ' * (number % 4)}{number} Mal." for number in range(48)]
    wishes = [{"signals": [("quality", "softmax", "error")[n % 3]]} for n in range(48)]

    async def ask() -> list[float]:
        app = create_app(ServerSettings(entailment=None), quality=estimator)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://test") as client,
        ):
            answers = await asyncio.gather(
                *(
                    client.post("/v1/score", json={"source": SOURCE, "hypothesis": text, **wish})
                    for text, wish in zip(texts, wishes, strict=True)
                )
            )
        rows = [answer.json()["data"][0] for answer in answers]
        assert [row["hypothesis"] for row in rows] == texts
        return [row["score"] for row in rows]

    found = asyncio.run(ask())
    assert len(batches) < 24
    expected = [
        estimator.score(SOURCE, text, **wish).score  # type: ignore[arg-type]
        for text, wish in zip(texts, wishes, strict=True)
    ]
    assert found == pytest.approx(expected, abs=1e-6)
