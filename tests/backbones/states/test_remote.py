"""Scores of hidden states that servers give: those of the model itself, or an error."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import torch
from made_states import KINDS, MadeServer
from tiny_models import PAIRS

from headwise import QualityEstimator
from headwise.backbones import NAMED_PROMPTS, CausalBackbone, RemoteBackbone, States
from headwise.backbones.states import http
from headwise.backbones.states.probe import StatesProbe
from headwise.errors import (
    ContextLengthError,
    MismatchError,
    StatesError,
    UnsupportedModelError,
    WeightsError,
)
from headwise.heads import SigmoidHead
from headwise.heads.storage.quality_heads import save_head

SIGNALS = ("sigmoid", "softmax", "logprob", "entropy", "boosted", "rank")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_FIRST_WAIT", 0.0)


def remote(server: MadeServer, folder: Path, **options: Any) -> RemoteBackbone:
    return RemoteBackbone("http://host:1/v1/", folder, transport=server.transport, **options)


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, parrot: CausalBackbone) -> MadeServer:
    return MadeServer(parrot, request.param)


def test_all_signals_are_those_of_the_model_itself(
    server: MadeServer, folder: Path, estimator: QualityEstimator, head: SigmoidHead
) -> None:
    other = QualityEstimator(remote(server, folder), head, prompt=estimator.prompt)
    own = [one.as_dict("token") for one in estimator.score_many(PAIRS, signals=SIGNALS)]
    for mine, theirs in zip(own, other.score_many(PAIRS, signals=SIGNALS), strict=True):
        theirs = theirs.as_dict("token")  # type: ignore[union-attr]
        for a, b in zip(mine["tokens"], theirs["tokens"], strict=True):
            found = pytest.approx([b[name] for name in SIGNALS], rel=1e-4, abs=1e-5)
            assert [a[name] for name in SIGNALS] == found


def test_candidates_are_ranked_as_by_the_model_itself(
    server: MadeServer, folder: Path, estimator: QualityEstimator, head: SigmoidHead
) -> None:
    other = QualityEstimator(remote(server, folder), head, prompt=estimator.prompt)
    source, texts = PAIRS[0][0], [hypothesis for _, hypothesis in PAIRS]
    own = [one.hypothesis for one in estimator.rerank(source, texts)]
    assert [one.hypothesis for one in other.rerank(source, texts)] == own


def test_what_a_server_says_bounds_what_is_sent(parrot: CausalBackbone, folder: Path) -> None:
    backbone = remote(MadeServer(parrot, "vllm", longest=12), folder)
    estimator = QualityEstimator(backbone, prompt=NAMED_PROMPTS["tiny"])
    with pytest.raises(ContextLengthError, match="reads 12 at most"):
        estimator.score("A dog runs on the beach all day long.", "Ein Hund läuft am Strand.")


def test_a_server_writes_no_text(server: MadeServer, folder: Path, head: SigmoidHead) -> None:
    estimator = QualityEstimator(remote(server, folder), head, prompt=NAMED_PROMPTS["tiny"])
    for write in (estimator.generate, lambda source: list(estimator.stream(source))):
        with pytest.raises(UnsupportedModelError, match="writes none; generate with the server"):
            write("A dog runs.")


def test_layers_below_the_last_are_not_to_be_had(server: MadeServer, folder: Path) -> None:
    backbone = remote(server, folder)
    with pytest.raises(UnsupportedModelError, match="have hidden states of these layers written"):
        backbone.layer_numbers((1,))
    with pytest.raises(ValueError, match="whole numbers from"):
        backbone.layer_numbers((99,))


def test_vectors_of_unit_length_are_refused(server: MadeServer, folder: Path) -> None:
    server.change = lambda states: torch.nn.functional.normalize(states, dim=-1)
    with pytest.raises(MismatchError, match="gives vectors of length 1: its pooler normalises"):
        remote(server, folder)


def test_states_that_are_cut_or_not_finite_are_refused(server: MadeServer, folder: Path) -> None:
    server.change = lambda states: states[1:]
    with pytest.raises(StatesError, match="leaves out what it has read before"):
        remote(server, folder)
    server.change = lambda states: states * float("nan")
    with pytest.raises(StatesError, match="not finite"):
        remote(server, folder)


class Broken(httpx.BaseTransport):
    """Answers with codes, or breaks connections, in turn."""

    def __init__(self, answers: list[int | None]) -> None:
        self._answers: Iterator[int | None] = iter(answers)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        code = next(self._answers)
        if code is None:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(code, content=b'{"a": 1}')


def test_what_passes_is_waited_for() -> None:
    asked = http.Answers("http://host", transport=Broken([None, 503, 429, 200]))
    assert asked.get("/x") == {"a": 1}


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([None] * 5, "cannot be reached"),
        ([503] * 5, "answers 503"),
        ([401], "answers 401"),
    ],
)
def test_what_does_not_pass_is_said(answers: list[int | None], said: str) -> None:
    asked = http.Answers("http://host", transport=Broken(answers))
    with pytest.raises(StatesError, match=said):
        asked.get("/x")


def test_answers_in_another_form_are_said_to_be_so(server: MadeServer, folder: Path) -> None:
    backbone = remote(server, folder)
    server.answer = lambda *_: (200, b'"no"')  # type: ignore[method-assign]
    with pytest.raises(StatesError, match=r"answer with a list|form that is not known|got 4 bytes"):
        backbone.states_of([(1, 2)])


def test_servers_of_no_known_kind_are_refused(folder: Path) -> None:
    nothing = httpx.MockTransport(lambda _: httpx.Response(404))
    with pytest.raises(StatesError, match=r"none of vllm, sglang, llama\.cpp"):
        RemoteBackbone("http://host", folder, transport=nothing)
    with pytest.raises(ValueError, match="`server` must be one of"):
        RemoteBackbone("http://host", folder, server="triton", transport=nothing)
    with pytest.raises(ValueError, match="must begin with http"):
        RemoteBackbone("host:8000", folder)


def test_keys_are_sent(parrot: CausalBackbone, folder: Path) -> None:
    made, keys = MadeServer(parrot, "vllm"), set()

    def handle(request: httpx.Request) -> httpx.Response:
        keys.add(request.headers.get("Authorization"))
        code, body = made.answer(request.method, request.url.path, request.content)
        return httpx.Response(code, content=body)

    RemoteBackbone("http://host", folder, api_key="k", transport=httpx.MockTransport(handle))
    assert keys == {"Bearer k"}


@pytest.fixture
def known(estimator: QualityEstimator, head: SigmoidHead, tmp_path: Path, folder: Path) -> Path:
    """The folder of a head that knows its model."""
    place = tmp_path / "head"
    save_head(head, place, backbone=str(folder), prompt=NAMED_PROMPTS["tiny"].model_dump())
    StatesProbe.of(estimator.backbone).write(place)  # type: ignore[arg-type]
    return place


def test_another_model_is_found_out(
    parrot: CausalBackbone, folder: Path, known: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = MadeServer(parrot, "vllm")
    noise = torch.randn(64, parrot.hidden_size, generator=torch.Generator().manual_seed(0))

    def with_noise(share: float) -> None:
        made.change = lambda s: (
            s
            + share
            * s.norm(dim=1, keepdim=True)
            * (noise[: len(s)] / noise[: len(s)].norm(dim=1, keepdim=True))
        )

    with made.listening() as url:
        scored = QualityEstimator.from_pretrained(folder, known, states=url).score(*PAIRS[0])
        assert scored.score == pytest.approx(
            QualityEstimator.from_pretrained(folder, known).score(*PAIRS[0]).score
        )
        assert not caplog.records
        with_noise(0.2)
        QualityEstimator.from_pretrained(folder, known, states=url)
        assert "Is its model quantised?" in caplog.text
        with_noise(1.0)
        with pytest.raises(MismatchError, match="it runs another model, or gives states of"):
            QualityEstimator.from_pretrained(folder, known, states=url)
        with pytest.raises(ValueError, match="with `states` none is"):
            QualityEstimator.from_pretrained(folder, known, states=url, device_map="auto")


@pytest.mark.parametrize(
    "content", ["[]", '{"ids": [1, 2], "values": [[0.5]]}', '{"ids": ["a"], "values": [[1]]}', "{"]
)
def test_damaged_probes_are_refused(known: Path, content: str) -> None:
    (known / "states.json").write_text(content)
    with pytest.raises(WeightsError, match=r"states\.json"):
        StatesProbe.read(known)


def test_places_are_checked_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be the address of a server"):
        States(tmp_path / "none")
    with pytest.raises(ValueError, match="layers are for files"):
        States("http://host", layers=(1,))
    with pytest.raises(ValueError, match="what a server needs is too much"):
        States(tmp_path, server="vllm")
