"""Generation in steps: others use the model between them, and nothing of that is mixed up."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

import pytest
import torch
from agreement import ALL_SIGNALS, assert_same, assert_same_token
from tiny_models import PAIRS

from headwise import QualityEstimator
from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.errors import InputError, PromptError
from headwise.heads import ErrorHead, SigmoidHead
from headwise.quality.generation.scored import GeneratedSteps, StreamedSteps

Steps = TypeVar("Steps", GeneratedSteps, StreamedSteps)
SOURCES = [source for source, _ in PAIRS[:3]]
SIGNALS = ("error", "omission", *ALL_SIGNALS)
DRAWN = {"do_sample": True, "temperature": 2.0, "top_k": 0, "max_new_tokens": 14}


@pytest.fixture(scope="module")
def qe(parrot: CausalBackbone, head: SigmoidHead) -> QualityEstimator:
    """An estimator with all signals, the error head of which reads two layers."""
    torch.manual_seed(3)
    made = ErrorHead(
        hidden_size=parrot.hidden_size, inner_size=8, layers=(1, -1), layer_count=2
    ).requires_grad_(False)
    return QualityEstimator(parrot, head, error_head=made, prompt=NAMED_PROMPTS["tiny"])


def steps_of(
    kind: type[Steps],
    qe: QualityEstimator,
    source: str,
    *,
    signals: tuple[str, ...] = SIGNALS,
    alternatives: int = 0,
    stop: tuple[str, ...] = (),
    **options: Any,
) -> Steps:
    return kind(qe.scorer(signals, alternatives), Pair(source, ""), options, stop)


def same(found: list[ScoredToken], right: list[ScoredToken]) -> None:
    assert [t.token_id for t in found] == [t.token_id for t in right]
    for a, b in zip(found, right, strict=True):
        assert_same_token(a, b)
        assert a.error == pytest.approx(b.error, abs=1e-6)
        assert a.omission == pytest.approx(b.omission, abs=1e-6)


@pytest.mark.parametrize("options", [{}, DRAWN], ids=["greedy", "drawn"])
def test_streams_and_batches_in_turn_have_the_values_of_each_alone(
    qe: QualityEstimator, options: dict[str, Any]
) -> None:
    def stream(source: str) -> Iterator[ScoredToken]:
        drawn = {"generator": torch.Generator().manual_seed(7)} if options else {}
        return qe.stream(source, signals=SIGNALS, **options, **drawn)

    alone = [list(stream(source)) for source in SOURCES]
    scored = list(qe.score_many(PAIRS, signals=SIGNALS))
    found: list[list[ScoredToken]] = [[] for _ in SOURCES]
    streams = [stream(source) for source in SOURCES]
    for tokens in itertools.zip_longest(*streams):
        for mine, token in zip(found, tokens, strict=True):
            mine += [token] if token is not None else []
        for one, right in zip(qe.score_many(PAIRS, signals=SIGNALS), scored, strict=True):
            assert isinstance(one, ScoredHypothesis)
            assert isinstance(right, ScoredHypothesis)
            assert_same(one, right)
    for mine, right in zip(found, alone, strict=True):
        same(mine, right)


def test_other_threads_use_the_model_at_the_same_time(qe: QualityEstimator) -> None:
    """Hidden states of their batches are not taken for those of a generation, whole or streamed."""
    source = SOURCES[0]
    alone = list(qe.stream(source, signals=SIGNALS))
    whole = qe.generate(source, signals=SIGNALS)
    ended = threading.Event()

    def batches() -> None:
        while not ended.is_set():
            list(qe.score_many(PAIRS, signals=SIGNALS))

    other = threading.Thread(target=batches)
    other.start()
    try:
        for _ in range(5):
            same(list(qe.stream(source, signals=SIGNALS)), alone)
            assert_same(qe.generate(source, signals=SIGNALS), whole)
    finally:
        ended.set()
        other.join()


@pytest.mark.parametrize("prompt", ["tiny", "tower"])
@pytest.mark.parametrize("options", [{}, {"max_new_tokens": 3}, {"stop": ("am",)}], ids=str)
def test_a_whole_text_in_steps_is_the_one_of_generate(
    qe: QualityEstimator, prompt: str, options: dict[str, Any]
) -> None:
    own = QualityEstimator(
        qe.backbone, qe.head, error_head=qe.error_head, prompt=NAMED_PROMPTS[prompt]
    )
    right = own.generate(SOURCES[0], signals=SIGNALS, alternatives=2, **options)
    steps = steps_of(GeneratedSteps, own, SOURCES[0], alternatives=2, **options)
    passes = sum(1 for _ in steps) - 1  # the last one scores
    assert steps.scored is not None
    assert steps.scored.hypothesis == right.hypothesis
    assert_same(steps.scored, right)
    given = own.backbone.encode_prompt(SOURCES[0], own.prompt)["input_ids"]
    assert (steps.tokens.prompt_tokens, len(steps.tokens.token_ids)) == (given.shape[1], passes)
    assert steps.tokens.finish == ("length" if "max_new_tokens" in options else "stop")
    assert list(steps) == []


def test_the_record_of_a_stream_has_its_tokens(qe: QualityEstimator) -> None:
    steps = steps_of(StreamedSteps, qe, SOURCES[0], alternatives=2)
    tokens = [token for found in steps for token in found]
    record = steps.scored()
    assert record.tokens + record.special_tokens == tuple(tokens)
    assert record.source == SOURCES[0]
    assert record.hypothesis == steps.text == PAIRS[0][1]
    assert record.opening_omission is not None
    assert steps.tokens.finish == "stop"
    assert steps.leading == " "


def test_a_step_is_one_pass_whatever_is_known_after_it(qe: QualityEstimator) -> None:
    asked = (StreamedSteps, qe, SOURCES[0])
    found = [len(tokens) for tokens in steps_of(*asked, signals=("omission",))]
    steps = steps_of(*asked, signals=("omission",))
    assert sum(found) == len(found) - 1  # the last one hands out what still waits
    for number, _ in enumerate(itertools.islice(steps, len(found) - 1), 1):
        assert len(steps.tokens.token_ids) == number


def test_drawing_from_a_generator_is_drawing_from_pytorchs_own(qe: QualityEstimator) -> None:
    backbone = qe.backbone
    inputs = backbone.encode_prompt(SOURCES[0], qe.prompt)
    torch.manual_seed(5)
    plain = backbone.model.generate(**inputs, **DRAWN, pad_token_id=0)[0]
    state = torch.random.get_rng_state()
    generator = torch.Generator().manual_seed(5)
    tokens = steps_of(GeneratedSteps, qe, SOURCES[0], generator=generator, **DRAWN)
    list(tokens)
    assert tokens.scored is not None
    ids = [t.token_id for t in tokens.scored.tokens + tokens.scored.special_tokens]
    assert set(ids) <= set(plain[inputs["input_ids"].shape[1] :].tolist())
    assert tokens.tokens.token_ids == plain[inputs["input_ids"].shape[1] :].tolist()
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(5)
    whole = list(qe.stream(SOURCES[0], signals=("logprob",), **DRAWN))
    assert [t.token_id for t in whole if not t.special] == ids[: len(tokens.scored.tokens)]


def test_stop_strings_of_transformers_hold_in_a_stream(qe: QualityEstimator) -> None:
    tokenizer = qe.backbone.tokenizer
    tokens = list(qe.stream(SOURCES[0], stop_strings=["Hund"], tokenizer=tokenizer))
    assert "".join(t.text for t in tokens) == "EinHund"
    with pytest.raises(ValueError, match="`stop_strings` need `tokenizer`"):
        list(qe.stream(SOURCES[0], stop_strings=["Hund"]))


def test_a_conversation_is_answered(qe: QualityEstimator) -> None:
    prompt = NAMED_PROMPTS["tower"]
    tower = QualityEstimator(qe.backbone, qe.head, prompt=prompt)
    content = prompt.user.format(
        source=SOURCES[0], source_language="English", target_language="German"
    )
    messages = [
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "Good day."},
        {"role": "user", "content": content},
    ]
    signals = ("logprob", "sigmoid")
    generated = tower.generate(messages, signals=signals, max_new_tokens=6)
    assert generated.source == content
    given = tower.backbone.encode_prompt(tuple(messages), prompt)
    ids = tower.backbone.model.generate(**given, max_new_tokens=6, pad_token_id=0)[0]
    made = ids[given["input_ids"].shape[1] :].tolist()
    found = [*generated.tokens, *generated.special_tokens]
    assert [t.token_id for t in sorted(found, key=lambda t: t.start)] == made
    streamed = list(tower.stream(messages, signals=signals, max_new_tokens=6))
    for a, b in zip(streamed, found, strict=True):
        assert_same_token(a, b)
    with pytest.raises(InputError, match="role of message 1 must be system, user or assistant"):
        tower.generate([{"role": "tool", "content": "a"}])
    with pytest.raises(PromptError, match="A conversation needs a prompt of kind 'chat'"):
        qe.generate([*messages, {"role": "assistant", "content": "b"}, *messages])
