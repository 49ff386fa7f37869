import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from agreement import ALL_SIGNALS, assert_same, assert_same_token
from tiny_models import PAIRS, tiny_llama
from torch import Tensor
from transformers import GenerationConfig

from headwise import QualityEstimator
from headwise.backbones import NAMED_PROMPTS, CausalBackbone, EncodedPair
from headwise.backbones.generation.tokens import captured_hidden
from headwise.data.records.scored import ScoredToken
from headwise.errors import TextError

SOURCE, HYPOTHESIS = PAIRS[0]
WAYS: dict[str, dict[str, Any]] = {
    "greedy": {},
    "beams": {"num_beams": 3, "length_penalty": 0.6},
    "sampling": {"do_sample": True, "temperature": 1.5, "top_k": 0},
    "sampling beams": {"do_sample": True, "num_beams": 2, "temperature": 1.5},
}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0])
@pytest.mark.parametrize("way", ["greedy", "beams"])
def test_generated_and_scored_agree(
    every_estimator: QualityEstimator, way: str, pair: tuple[str, str]
) -> None:
    generated = every_estimator.generate(pair[0], signals=ALL_SIGNALS, alternatives=2, **WAYS[way])
    assert generated.hypothesis == pair[1]
    assert_same(generated, every_estimator.score(*pair, signals=ALL_SIGNALS))
    scored = every_estimator.score(*pair, signals=ALL_SIGNALS, alternatives=2)
    for a, b in zip(generated.tokens, scored.tokens, strict=True):
        assert [x.text for x in a.alternatives or ()] == [x.text for x in b.alternatives or ()]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0])
def test_streamed_and_scored_agree(
    every_estimator: QualityEstimator, pair: tuple[str, str]
) -> None:
    scored = every_estimator.score(*pair, signals=ALL_SIGNALS)
    streamed = list(every_estimator.stream(pair[0], signals=ALL_SIGNALS))
    expected = scored.tokens + scored.special_tokens
    assert len(streamed) == len(expected)
    for a, b in zip(streamed, expected, strict=True):
        assert isinstance(a, ScoredToken)
        assert_same_token(a, b)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("prompt", ["tiny", "tower"])
def test_the_tokens_are_those_of_plain_generate_and_so_are_their_scores(
    estimator: QualityEstimator, prompt: str, way: str
) -> None:
    """Also where the text would be tokenised differently when it is read again."""
    qe = QualityEstimator(estimator.backbone, estimator.head, prompt=NAMED_PROMPTS[prompt])
    backbone = qe.backbone
    inputs = backbone.encode_prompt("A dog reads tea.", qe.prompt)
    length = inputs["input_ids"].shape[1]
    options = {"max_new_tokens": 12, "pad_token_id": 0, "do_sample": False, **WAYS[way]}
    torch.manual_seed(5)
    plain = backbone.model.generate(**inputs, **options)[0]
    torch.manual_seed(5)
    generated = qe.generate("A dog reads tea.", signals=ALL_SIGNALS, **options)

    tokens = sorted_by_place(generated.tokens + generated.special_tokens)
    assert [t.token_id for t in tokens] == plain[length:].tolist()

    log_probs, scores = scores_of(qe, plain, length)
    assert [t.logprob for t in tokens] == pytest.approx(log_probs, abs=1e-5)
    assert [t.sigmoid for t in tokens] == pytest.approx(scores, abs=1e-5)


def test_beams_that_change_places(estimator: QualityEstimator) -> None:
    """An untrained model has no favourites: the best sequence comes from several rows."""
    model = tiny_llama(estimator.backbone.tokenizer)
    backbone = CausalBackbone(model, estimator.backbone.tokenizer)
    qe = QualityEstimator(backbone, estimator.head, prompt=estimator.prompt)
    options = {"num_beams": 4, "max_new_tokens": 10, "min_new_tokens": 10, "pad_token_id": 0}
    moved = 0
    for source, _ in PAIRS:
        inputs = backbone.encode_prompt(source, qe.prompt)
        output = model.generate(**inputs, **options, return_dict_in_generate=True)
        moved += int(output.beam_indices[0].count_nonzero())
        generated = qe.generate(source, signals=("logprob", "sigmoid"), **options)
        by_id = {t.token_id: t for t in generated.tokens + generated.special_tokens}
        length = inputs["input_ids"].shape[1]
        ids = output.sequences[0, length:].tolist()
        log_probs, scores = scores_of(qe, output.sequences[0], length)
        for token_id, log_prob, score in zip(ids, log_probs, scores, strict=True):
            if ids.count(token_id) == 1 and token_id in by_id:
                assert by_id[token_id].logprob == pytest.approx(log_prob, abs=1e-5)
                assert by_id[token_id].sigmoid == pytest.approx(score, abs=1e-5)
    assert moved > 10


def scores_of(qe: QualityEstimator, ids: Tensor, first: int) -> tuple[list[float], list[float]]:
    """Log-probabilities and head scores of all tokens from ``first`` on, read in one pass."""
    assert qe.head is not None
    targets = ids[first:]
    encoded = EncodedPair(tuple(ids[:-1].tolist()), first - 1, tuple(targets.tolist()), ())
    with torch.inference_mode():
        hidden = qe.backbone.target_hidden([encoded])
        log_probs = qe.backbone.unembedding(hidden).log_softmax(-1)
    own = log_probs.gather(-1, targets.unsqueeze(-1))[:, 0]
    return own.tolist(), qe.head.score(hidden, targets).tolist()


def sorted_by_place(tokens: tuple[ScoredToken, ...]) -> list[ScoredToken]:
    return sorted(tokens, key=lambda t: (t.start, t.special))


def test_options_reach_generate(estimator: QualityEstimator) -> None:
    short = estimator.generate(SOURCE, max_new_tokens=2)
    assert len(short.tokens) == 2
    assert short.special_tokens == ()
    assert HYPOTHESIS.startswith(short.hypothesis)
    inputs = estimator.backbone.encode_prompt(SOURCE, estimator.prompt)
    given = inputs["input_ids"].shape[1]
    assert len(estimator.generate(SOURCE, max_length=given + 3).tokens) == 3
    tokenizer = estimator.backbone.tokenizer
    stopped = estimator.generate(SOURCE, stop_strings=["Hund"], tokenizer=tokenizer)
    assert stopped.hypothesis == "Ein Hund"


@pytest.fixture
def own_config(estimator: QualityEstimator) -> Iterator[GenerationConfig]:
    """The model's own generation config, for changes that are taken back."""
    model = estimator.backbone.model
    own = model.generation_config
    model.generation_config = copy.deepcopy(own)
    yield model.generation_config
    model.generation_config = own


def test_a_models_own_config_is_honoured(
    estimator: QualityEstimator, own_config: GenerationConfig
) -> None:
    own_config.num_beams = 2
    with captured_hidden(estimator.backbone) as steps:
        assert estimator.generate(SOURCE).hypothesis == HYPOTHESIS
    assert {len(step) for step in steps} == {1, 2} or {len(step) for step in steps} == {2}
    assert len(list(estimator.stream(SOURCE))) > 3  # without beams
    own_config.num_beams, own_config.max_new_tokens = 1, 3
    assert len(estimator.generate(SOURCE).tokens) == len(list(estimator.stream(SOURCE))) == 3
    assert len(estimator.generate(SOURCE, max_new_tokens=2).tokens) == 2
    own_config.max_new_tokens, own_config.max_length = None, 4  # the prompt is longer
    assert estimator.generate(SOURCE).hypothesis == HYPOTHESIS
    first = estimator.generate(SOURCE).tokens[0].token_id
    own_config.suppress_tokens = [first]
    assert estimator.generate(SOURCE).tokens[0].token_id != first
    own_config.num_return_sequences = own_config.num_beams = 2
    assert estimator.generate(SOURCE).tokens[0].token_id != first
    own_config.guidance_scale = 2.0
    with pytest.raises(ValueError, match="`guidance_scale` is not supported"):
        estimator.generate(SOURCE)


def test_a_config_that_is_given_is_honoured(estimator: QualityEstimator) -> None:
    few = GenerationConfig(max_new_tokens=2)
    assert len(estimator.generate(SOURCE, generation_config=few).tokens) == 2
    assert len(list(estimator.stream(SOURCE, generation_config=few))) == 2
    assert len(estimator.generate(SOURCE, generation_config=few, max_new_tokens=3).tokens) == 3
    drawn = GenerationConfig(do_sample=True, temperature=9.0, max_new_tokens=12, top_k=0)
    torch.manual_seed(1)
    assert estimator.generate(SOURCE, generation_config=drawn).hypothesis != HYPOTHESIS
    assert estimator.generate(SOURCE, return_dict_in_generate=False).hypothesis == HYPOTHESIS
    beams = GenerationConfig(num_beams=2, num_return_sequences=2)
    with pytest.raises(ValueError, match="`num_return_sequences` must be 1"):
        estimator.generate(SOURCE, generation_config=beams)
    with pytest.raises(ValueError, match="`stream` cannot use beams"):
        list(estimator.stream(SOURCE, generation_config=beams))
    with pytest.raises(ValueError, match="must be a GenerationConfig, got dict"):
        estimator.generate(SOURCE, generation_config={"max_new_tokens": 2})


def test_rows_without_a_token_have_a_name(estimator: QualityEstimator) -> None:
    tokenizer = estimator.backbone.tokenizer
    model = tiny_llama(tokenizer)
    model.resize_token_embeddings(len(tokenizer) + 3)
    qe = QualityEstimator(CausalBackbone(model, tokenizer), prompt=estimator.prompt)
    scored = qe.score(SOURCE, "Ein", signals=("logprob",), alternatives=qe.backbone.rows)
    names = [one.text for one in scored.tokens[0].alternatives or ()]
    assert {f"<row {len(tokenizer) + i}>" for i in range(3)} < set(names)
    assert all(names)


def test_one_vector_a_step_is_kept_and_nothing_of_the_prompt(estimator: QualityEstimator) -> None:
    backbone = estimator.backbone
    inputs = backbone.encode_prompt(SOURCE, estimator.prompt)
    with captured_hidden(backbone) as steps:
        backbone.model.generate(**inputs, num_beams=2, max_new_tokens=6, min_new_tokens=6)
    assert [tuple(step.shape) for step in steps] == [(2, backbone.hidden_size)] * 6
    held = {step.untyped_storage().data_ptr(): step.untyped_storage().nbytes() for step in steps}
    assert sum(held.values()) == 6 * 2 * backbone.hidden_size * 4
    with torch.inference_mode():
        backbone.model(**inputs)
    assert len(steps) == 6  # the hook is gone


def test_generation_asks_for_no_layers(
    estimator: QualityEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, Any]] = []
    model = estimator.backbone.model
    plain = type(model).forward

    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        output = plain(self, *args, **kwargs)
        seen.append({"asked": kwargs.get("output_hidden_states"), "got": output.hidden_states})
        return output

    monkeypatch.setattr(type(model), "forward", watched)
    generated = estimator.generate(SOURCE)
    assert len(seen) == len(generated.tokens) + len(generated.special_tokens)
    assert all(not step["asked"] and step["got"] is None for step in seen)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_return_sequences": 2}, "`num_return_sequences` must be 1"),
        ({"prompt_lookup_num_tokens": 3}, "`prompt_lookup_num_tokens` is not supported"),
        ({"guidance_scale": 2.0}, "`guidance_scale` is not supported"),
        ({"prefill_chunk_size": 4}, "`prefill_chunk_size` is not supported"),
        ({"no_such_option": 1}, "no_such_option"),
    ],
)
def test_options_that_cannot_be_scored_are_refused(
    estimator: QualityEstimator, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        estimator.generate(SOURCE, **options)
    with pytest.raises(ValueError, match=message):
        list(estimator.stream(SOURCE, **options))


def test_bad_sources_are_refused(estimator: QualityEstimator) -> None:
    for source in ("", None, "a</s>", "\ud800"):
        with pytest.raises(TextError):
            estimator.generate(source)
        with pytest.raises(TextError):
            list(estimator.stream(source))


def test_streaming_with_beams_is_refused(estimator: QualityEstimator) -> None:
    with pytest.raises(ValueError, match="`stream` cannot use beams"):
        list(estimator.stream(SOURCE, num_beams=2))


@contextmanager
def passes_counted(estimator: QualityEstimator) -> Iterator[list[int]]:
    """How many tokens each pass of the model reads."""
    seen: list[int] = []
    handle = estimator.backbone.model.register_forward_pre_hook(
        lambda _, __, named: seen.append(named["input_ids"].shape[1]), with_kwargs=True
    )
    yield seen
    handle.remove()


def test_a_token_is_made_when_it_is_asked_for(estimator: QualityEstimator) -> None:
    with passes_counted(estimator) as passes:
        tokens = estimator.stream(SOURCE, max_new_tokens=200, min_new_tokens=200)
        assert passes == []
        space, word = next(tokens), next(tokens)
        assert (space.text, word.text) == ("", "Ein")
        # A space waits for its word; the prompt is read once
        assert passes == [passes[0], 1]
        next(tokens)
        assert len(passes) == 3
        # Nothing of the stream is left in the model while it waits
        assert not estimator.backbone.model.get_output_embeddings()._forward_pre_hooks
        tokens.close()
        assert len(passes) == 3


def test_an_error_in_a_step_reaches_the_reader(estimator: QualityEstimator) -> None:
    steps = 0

    def fail(*_: Any) -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            raise MemoryError("no space for the third step")

    handle = estimator.backbone.model.get_output_embeddings().register_forward_pre_hook(fail)
    seen: list[ScoredToken] = []
    try:
        with pytest.raises(MemoryError, match="third step"):
            seen.extend(estimator.stream(SOURCE, signals=("sigmoid",)))
    finally:
        handle.remove()
    assert [t.text for t in seen] == ["", "Ein"]
    assert estimator.generate(SOURCE).hypothesis == HYPOTHESIS


def test_the_users_stopping_criteria_hold_in_a_stream(estimator: QualityEstimator) -> None:
    def three(ids: Tensor, _: Any, **__: Any) -> Tensor:
        return torch.full((1,), ids.shape[1] >= given + 3)

    given = estimator.backbone.encode_prompt(SOURCE, estimator.prompt)["input_ids"].shape[1]
    tokens = list(estimator.stream(SOURCE, stopping_criteria=[three]))
    assert len(tokens) == 3


def test_nothing_to_say(estimator: QualityEstimator) -> None:
    end = estimator.backbone.tokenizer.eos_token_id
    silent = estimator.generate(SOURCE, forced_eos_token_id=end, max_new_tokens=1)
    assert (silent.hypothesis, silent.tokens, silent.score) == ("", (), None)
    assert silent.words == ()
    assert list(estimator.stream(SOURCE, forced_eos_token_id=end, max_new_tokens=1)) == []
