"""From generated tokens to text, and back to the place of each token in it."""

from collections.abc import Callable

import pytest
from agreement import assert_own_texts
from tiny_models import PAIRS, TOKENIZERS, UNSEEN, tiny_llama
from transformers import PreTrainedTokenizerFast

from headwise.backbones import NAMED_PROMPTS, CausalBackbone, EncodedPair
from headwise.backbones.generation.stopping import Stops
from headwise.backbones.generation.written_text import (
    HypothesisWriter,
    write_hypothesis,
)
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.quality.signal_request import SignalRequest
from headwise.quality.token_signals import TokenSignals

# In the last one, a token of some tokenisers ends one character and begins another
HYPOTHESES = [*(h for _, h in PAIRS), *UNSEEN, "c 👩\u200d🚀"]
TokenizerOf = Callable[[str], PreTrainedTokenizerFast]


@pytest.fixture(scope="session", params=TOKENIZERS)
def backbone(request: pytest.FixtureRequest, tokenizer_of: TokenizerOf) -> CausalBackbone:
    tokenizer = tokenizer_of(request.param)
    return CausalBackbone(tiny_llama(tokenizer, num_hidden_layers=1), tokenizer)


@pytest.fixture(scope="session")
def byte_level(tokenizer_of: TokenizerOf) -> CausalBackbone:
    tokenizer = tokenizer_of("byte-level")
    return CausalBackbone(tiny_llama(tokenizer, num_hidden_layers=1), tokenizer)


def written(backbone: CausalBackbone, ids: list[int]) -> ScoredHypothesis:
    """The record of generated tokens; each token's softmax is its place in the sequence."""
    found = write_hypothesis(backbone, ids)
    columns = {Signal.SOFTMAX: [float(i) for i in range(len(ids))]}
    signals = TokenSignals(columns, SignalRequest((Signal.SOFTMAX,)))
    return signals.scored(Pair("source", found.text), found.places)


def tokens(backbone: CausalBackbone, text: str) -> list[int]:
    ids: list[int] = backbone.tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def places_agree(
    backbone: CausalBackbone, places: list[tuple[int, int]], encoded: EncodedPair
) -> bool:
    if "Unigram" not in type(backbone.tokenizer.backend_tokenizer.model).__name__:
        return places == list(encoded.ranges)
    # Unigram gives all bytes of neighbouring unknown characters the place of all of them
    both = zip(places, encoded.ranges, strict=True)
    return all(
        written == read or read[0] <= written[0] < written[1] <= read[1] for written, read in both
    )


@pytest.mark.parametrize("hypothesis", HYPOTHESES)
@pytest.mark.parametrize("prompt", ["tiny", "tower"])
def test_writing_a_hypothesis_places_its_tokens_as_reading_it_does(
    backbone: CausalBackbone, prompt: str, hypothesis: str
) -> None:
    (encoded,) = backbone.encode([("A dog.", hypothesis)], NAMED_PROMPTS[prompt])
    assert isinstance(encoded, EncodedPair)
    record = written(backbone, list(encoded.targets))
    assert record.hypothesis == hypothesis
    assert [t.token_id for t in record.tokens] == list(encoded.targets[: len(encoded.ranges)])
    assert_own_texts(record.tokens, hypothesis)
    assert places_agree(backbone, [(t.start, t.end) for t in record.tokens], encoded)
    closing = [t.token_id for t in record.special_tokens]
    assert closing == list(encoded.targets[len(encoded.ranges) :])


@pytest.mark.parametrize("hypothesis", HYPOTHESES)
def test_pushing_token_by_token_gives_the_same_places(
    backbone: CausalBackbone, hypothesis: str
) -> None:
    (encoded,) = backbone.encode([("A dog.", hypothesis)], NAMED_PROMPTS["tiny"])
    assert isinstance(encoded, EncodedPair)
    writer = HypothesisWriter(backbone)
    places = [place for token_id in encoded.targets for place in writer.push(token_id)]
    places += writer.finish()
    assert [p.index for p in places] == list(range(len(encoded.targets)))
    assert places_agree(backbone, [(p.start, p.end) for p in places if not p.special], encoded)


def test_a_split_emoji_is_placed_when_it_is_whole(byte_level: CausalBackbone) -> None:
    writer = HypothesisWriter(byte_level)
    placed = [writer.push(token_id) for token_id in tokens(byte_level, " a🎉")]
    counts = [len(p) for p in placed if p is not None]
    assert counts[-3:] == [0, 0, 3]
    assert [(p.text, p.start, p.end) for p in placed[-1]] == [("", 1, 2), ("", 1, 2), ("🎉", 1, 2)]
    assert writer.text == "a🎉"


def test_a_stop_before_any_text_leaves_none(byte_level: CausalBackbone) -> None:
    writer = HypothesisWriter(byte_level, Stops(closing="\n"))
    assert [writer.push(token_id) for token_id in tokens(byte_level, "\n")] == [[]]
    assert (writer.text, writer.stopped, writer.closed) == ("", True, True)


def test_an_emoji_that_never_becomes_whole_is_a_replacement_character(
    byte_level: CausalBackbone,
) -> None:
    end = byte_level.tokenizer.eos_token_id
    record = written(byte_level, [*tokens(byte_level, "Tee 🎉")[:-1], end])
    assert record.hypothesis == "Tee \ufffd"
    assert [t.text for t in record.tokens][-2:] == ["", "\ufffd"]
    assert [t.token_id for t in record.special_tokens] == [end]


def test_spaces_around_the_text_are_left_out_and_their_tokens_are_not(
    byte_level: CausalBackbone,
) -> None:
    end = byte_level.tokenizer.eos_token_id
    ids = tokens(byte_level, "\n\n Tee.\n \n")
    record = written(byte_level, [*ids, end])
    assert record.hypothesis == "Tee."
    # Tokens before the first word stand before it, those after the last one close the sequence
    assert [t.softmax for t in record.tokens + record.special_tokens] == [
        float(i) for i in range(len(ids) + 1)
    ]
    assert (record.tokens[0].start, record.tokens[0].end) == (0, 0)
    assert all(t.special and t.start == t.end == 4 for t in record.special_tokens)
    assert [t.text for t in record.special_tokens][-2:] == ["Ċ", "</s>"]


def test_special_tokens_before_the_text_are_dropped(byte_level: CausalBackbone) -> None:
    start, target = byte_level.tokenizer.convert_tokens_to_ids(["<s>", "<|target|>"])
    record = written(byte_level, [start, target, *tokens(byte_level, "Tee.")])
    assert record.hypothesis == "Tee."
    assert record.tokens[0].softmax == 2.0
    assert record.special_tokens == ()


def test_special_tokens_inside_the_text_have_no_characters(byte_level: CausalBackbone) -> None:
    target = byte_level.tokenizer.convert_tokens_to_ids("<|target|>")
    record = written(byte_level, [*tokens(byte_level, "Tee"), target, *tokens(byte_level, " ist")])
    assert record.hypothesis == "Tee ist"
    (special,) = record.special_tokens
    assert (special.text, special.start, special.end) == ("<|target|>", 3, 3)


@pytest.mark.parametrize("text", ["", " \n"])
def test_nothing_but_spaces_is_an_empty_hypothesis(byte_level: CausalBackbone, text: str) -> None:
    end = byte_level.tokenizer.eos_token_id
    record = written(byte_level, [*tokens(byte_level, text), end])
    assert (record.hypothesis, record.tokens, record.score) == ("", (), None)
