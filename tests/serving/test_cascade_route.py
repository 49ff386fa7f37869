"""A cascade over HTTP: the rows of the command, by models of ours and behind other servers."""

import time
from collections.abc import Iterator

import pytest
from made_chat_server import chat_server
from pydantic import ValidationError
from starlette.testclient import TestClient

from headwise import Cascade, QualityEstimator
from headwise.serving import ServerSettings, create_app

EASY, HARD = "A dog runs along the beach.", "El perro corre por la playa con su dueño."
SOURCES = [EASY, HARD, "Two men play chess."]


@pytest.fixture(scope="module")
def big() -> Iterator[str]:
    with chat_server(lambda asked: None if asked == "fail" else "Ein Hund läuft.") as url:
        yield f"{url}#big"


@pytest.fixture(scope="module")
def cascading(estimator: QualityEstimator, big: str) -> Iterator[TestClient]:
    settings = ServerSettings(
        then=(big,), accept=0.9, signal="boosted", costs=(1, 9), entailment=None
    )
    app = create_app(settings, quality=estimator)
    with TestClient(app, raise_server_exceptions=False) as client:
        while client.get("/ready").status_code != 200:
            time.sleep(0.05)
        yield client


@pytest.mark.parametrize("ask_all", [False, True])
def test_rows_are_those_of_the_library(
    cascading: TestClient, estimator: QualityEstimator, big: str, ask_all: bool
) -> None:
    found = cascading.post("/v1/cascade", json={"sources": SOURCES, "ask_all": ask_all}).json()
    assert found["stages"] == ["tiny-en-de", big]
    cascade = Cascade(
        {"tiny-en-de": estimator, big: big},
        accept=0.9,
        costs=[1, 9],
        signal="boosted",
        max_new_tokens=256,
    )
    for row, answer in zip(
        found["data"], cascade.answer_many(SOURCES, ask_all=ask_all), strict=True
    ):
        assert not isinstance(answer, Exception)
        expected = answer.as_dict()
        for column in ("answer", "stage", "cost"):
            assert row[column] == expected[column]
        for one, other in zip(row["attempts"], expected["attempts"], strict=True):
            assert one["answer"] == other["answer"]
            assert one["error"] == other["error"]
            assert one["quality"] == pytest.approx(other["quality"], abs=1e-5)
    assert {row["stage"] for row in found["data"]} == {"tiny-en-de", None}


def test_what_cannot_be_asked(cascading: TestClient, estimator: QualityEstimator) -> None:
    def said(answer: object) -> tuple[int, str]:
        return answer.status_code, answer.json()["error"]["message"]  # type: ignore[attr-defined]

    assert said(cascading.post("/v1/cascade", json={}))[0] == 400
    assert said(cascading.post("/v1/cascade", json={"sources": []}))[0] == 400
    status, message = said(cascading.post("/v1/cascade", json={"source": "fail"}))
    assert status == 502
    assert "did not answer" in message
    with TestClient(create_app(ServerSettings(entailment=None), quality=estimator)) as plain:
        status, message = said(plain.post("/v1/cascade", json={"source": EASY}))
    assert status == 404
    assert "--accept" in message


@pytest.mark.parametrize(
    "settings",
    [
        {"then": ("a",)},
        {"accept": 0.5, "guarantee": "g.json"},
        {"then": ("a",), "accept": 0.5, "guarantee": "g.json"},
        {"then": ("a",), "accept": 0.5, "model": None},
    ],
)
def test_settings_that_make_no_cascade(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="accept"):
        ServerSettings(**settings)  # type: ignore[arg-type]


def test_a_guarantee_for_others_is_said_at_ready(
    estimator: QualityEstimator, big: str, tmp_path: object
) -> None:
    path = f"{tmp_path}/g.json"
    with open(path, "w") as file:  # noqa: PTH123
        file.write("{}")
    settings = ServerSettings(then=(big,), guarantee=path, entailment=None)
    with TestClient(create_app(settings, quality=estimator)) as client:
        for _ in range(200):
            answer = client.get("/ready")
            if "guarantee" in answer.text:
                break
            time.sleep(0.05)
        assert answer.status_code == 503
        assert client.post("/v1/cascade", json={"source": EASY}).status_code == 503
