"""Scores from vLLM's hidden states are those of the model itself, over HTTP and inside vLLM."""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2 as httpx
import pytest

from headwise import QualityEstimator
from headwise.backbones.states.remote import RemoteBackbone
from headwise.bundled.names import bundled_folder
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.data.writers import scored_row
from vllm_server import MODEL

pytestmark = pytest.mark.vllm

SAME = 1e-4
SIGNALS = [signal.value for signal in Signal]
TOO_LONG = "Ein Hund läuft am Strand. " * 100

Pairs = list[tuple[str, str]]


def ask(url: str, data: Mapping[str, Any], **headers: str) -> httpx.Response:
    """What vLLM answers to pairs."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"model": MODEL, "data": data}
    return httpx.post(f"{url}/pooling", json=body, headers=named, timeout=300)


def rows_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """The rows of a good answer."""
    assert answer.status_code == httpx.codes.OK, answer.text
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


def numbers(value: Any, path: str = "") -> Iterable[tuple[str, Any]]:
    """All leaves of a row with their places."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from numbers(one, f"{path}.{name}")
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from numbers(one, f"{path}.{place}")
    else:
        yield path, value


def assert_same(row: Mapping[str, Any], expected: ScoredHypothesis, level: Any) -> None:
    """Numbers may differ by what the order of sums does, all else is equal."""
    found, wanted = dict(numbers(row)), dict(numbers(scored_row(expected, level)))
    assert found.keys() == wanted.keys()
    for place, value in wanted.items():
        if isinstance(value, float):
            assert found[place] == pytest.approx(value, abs=SAME, rel=0), place
        else:
            assert found[place] == value, place


def test_a_server_s_states_give_the_scores_of_the_model(
    url: str, estimator: QualityEstimator, pairs: Pairs
) -> None:
    remote = QualityEstimator(
        RemoteBackbone(url, bundled_folder(MODEL)),
        estimator.head,
        error_head=estimator.error_head,
        prompt=estimator.prompt,
        calibration=estimator.calibration,
    )
    assert remote.backbone.max_length == estimator.backbone.max_length
    local = estimator.score_many(pairs, signals=SIGNALS)
    for found, expected in zip(remote.score_many(pairs, signals=SIGNALS), local, strict=True):
        assert isinstance(found, ScoredHypothesis)
        assert isinstance(expected, ScoredHypothesis)
        assert_same(scored_row(found, "token"), expected, "token")


def test_rows_of_the_plugin_are_those_of_headwise(
    url: str, estimator: QualityEstimator, pairs: Pairs
) -> None:
    given = [
        {"source": source, "hypothesis": text, "id": number, "score": "of people"}
        for number, (source, text) in enumerate(pairs)
    ]
    rows = rows_of(ask(url, {"pairs": given, "signals": SIGNALS, "level": "token"}))
    local = estimator.score_many(given, signals=SIGNALS)
    for row, expected in zip(rows, local, strict=True):
        assert isinstance(expected, ScoredHypothesis)
        assert_same(row, expected, "token")
    assert [row["id"] for row in rows] == list(range(len(pairs)))


def test_a_pair_that_cannot_be_scored_says_why_in_its_place(url: str) -> None:
    bad = [("A dog.", ""), ("A dog.", TOO_LONG), {"source": "A dog."}]
    rows = rows_of(ask(url, {"pairs": [bad[0], ("A dog.", "Ein Hund."), *bad[1:]]}))
    assert [list(row) == ["error"] for row in rows] == [True, False, True, True]
    codes = [row["error"]["code"] for row in rows if "error" in row]
    assert codes == ["invalid_text", "context_length_exceeded", "invalid_text"]
    # vLLM takes no request without a prompt, and answers all the same
    assert rows_of(ask(url, {"pairs": bad})) == [row for row in rows if "error" in row]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"pairs": [("A dog.", "Ein Hund.")], "signals": ["qualty"]}, "qualty"),
        ({"pairs": [("A dog.", "Ein Hund.")], "lvl": "word"}, "lvl"),
        ({"pairs": [("A dog.", "Ein Hund.")], "model": MODEL}, "beside"),
        ({"pairs": [("A dog.", "Ein Hund.")] * 257}, "1 to 256 pairs, got 257"),
        ({"pairs": []}, "got 0"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused(url: str, data: dict[str, Any], said: str) -> None:
    answer = ask(url, data)
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert said in answer.json()["error"]["message"]


def test_clients_get_their_own_rows(url: str, estimator: QualityEstimator, pairs: Pairs) -> None:
    local = list(estimator.score_many(pairs, signals=["error"]))

    def score(place: int) -> list[dict[str, Any]]:
        # Each asks for one to three pairs, and all the time others ask for other ones
        some = pairs[place : place + 1 + place % 3]
        return rows_of(ask(url, {"pairs": some, "signals": ["error"], "level": "sentence"}))

    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(score, range(len(pairs))))
    for place, rows in enumerate(answers):
        for row, expected in zip(rows, local[place : place + len(rows)], strict=True):
            assert isinstance(expected, ScoredHypothesis)
            assert_same(row, expected, "sentence")


def test_what_a_client_that_leaves_asked_for_is_dropped(url: str, pairs: Pairs) -> None:
    """Its id is in use for as long as something is kept for it."""
    body = {"model": MODEL, "data": {"pairs": pairs, "signals": SIGNALS, "level": "token"}}
    with pytest.raises(httpx.TimeoutException):
        httpx.post(f"{url}/pooling", json=body, headers={"X-Request-Id": "left"}, timeout=0.05)
    one = {"pairs": pairs[:1]}
    for _ in range(60):
        answer = ask(url, one, X_Request_Id="left")
        if answer.status_code == httpx.codes.OK:
            break
        assert "under way" in answer.json()["error"]["message"]
        time.sleep(1)
    assert rows_of(answer) == rows_of(ask(url, one))
