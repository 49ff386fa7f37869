import pytest

from headwise.backbones import NAMED_PROMPTS, CausalBackbone, EncodedPair
from headwise.bundled.examples import example_pairs
from headwise.data.records.error_spans import is_marked, marked_ranges
from headwise.data.records.pairs import Pair
from headwise.data.records.words import word_ranges
from headwise.errors import PromptError
from headwise.evaluation import Corruption, ErrorFamily, plausible_errors

PROMPT = NAMED_PROMPTS["tiny"]
PAIRS = example_pairs()


def place(made: Corruption) -> tuple[int, int]:
    (span,) = made.pair.errors or ()
    return span.start, span.end


def error(made: Corruption) -> str:
    return made.pair.hypothesis[slice(*place(made))]


@pytest.fixture(scope="module")
def made(tiny: CausalBackbone) -> list[Corruption]:
    return plausible_errors(tiny, PAIRS, PROMPT, seed=0)


def test_one_word_of_each_pair_is_another_one(made: list[Corruption]) -> None:
    assert len(made) > 0.9 * len(PAIRS)
    for pair in made:
        assert pair.family == ErrorFamily.PLAUSIBLE
        old, new = word_ranges(pair.original), word_ranges(pair.pair.hypothesis)
        at = new.index(place(pair))
        before = pair.original[slice(*old[at])]
        assert len(old) == len(new)
        assert before.casefold() != error(pair).casefold()
        assert (
            pair.original[: old[at][0]] + error(pair) + pair.original[old[at][1] :]
            == pair.pair.hypothesis
        )


def test_labels_are_the_tokens_of_the_word(tiny: CausalBackbone, made: list[Corruption]) -> None:
    encoded = tiny.encode([(one.pair.source, one.pair.hypothesis) for one in made], PROMPT)
    for pair, code in zip(made, encoded, strict=True):
        assert isinstance(code, EncodedPair)
        marked = marked_ranges(pair.pair.errors or (), pair.pair.hypothesis)
        tokens = [
            token
            for token, at in zip(code.targets, code.ranges, strict=False)
            if is_marked(at, marked)
        ]
        assert tiny.tokenizer.decode(tokens).strip() == error(pair)


def test_the_order_is_that_of_the_pairs(made: list[Corruption]) -> None:
    texts = [pair.hypothesis for pair in PAIRS]
    indices = [texts.index(pair.original) for pair in made]
    assert indices == sorted(indices)


def test_an_error_depends_on_seed_and_index_alone(
    tiny: CausalBackbone, made: list[Corruption]
) -> None:
    assert plausible_errors(tiny, PAIRS, PROMPT, seed=0, batch_tokens=1) == made
    assert plausible_errors(tiny, PAIRS[:4], PROMPT, seed=0) == [
        pair for pair in made if pair.original in {p.hypothesis for p in PAIRS[:4]}
    ]
    assert plausible_errors(tiny, PAIRS, PROMPT, seed=1) != made


def test_words_of_other_translations_are_no_errors(tiny: CausalBackbone) -> None:
    source, text = "A dog runs.", "Ein Hund rennt."
    first = plausible_errors(tiny, [Pair(source, text)], PROMPT, seed=0)
    other = Pair(source, error(first[0]))
    again = plausible_errors(tiny, [Pair(source, text), other], PROMPT, seed=0)
    assert all(error(p) != error(first[0]) for p in again if p.original == text)
    # Of another source, it stays what it was
    other = Pair("Something else.", error(first[0]))
    assert plausible_errors(tiny, [Pair(source, text), other], PROMPT, seed=0)[0] == first[0]


def test_what_allows_no_error_is_left_out(tiny: CausalBackbone) -> None:
    pairs = [
        Pair("Fine.", "24!"),
        Pair("Fine.", ""),
        Pair("Fine.", "zu lang " * 2000),
        Pair("A dog runs.", "Ein Hund rennt."),
    ]
    made = plausible_errors(tiny, pairs, PROMPT, seed=0)
    assert [pair.original for pair in made] == ["Ein Hund rennt."]
    assert plausible_errors(tiny, pairs[:2], PROMPT, seed=0) == []
    assert plausible_errors(tiny, [], PROMPT, seed=0) == []


def test_a_prompt_of_the_wrong_kind_is_refused(tiny: CausalBackbone) -> None:
    with pytest.raises(PromptError, match="for encoder-decoder models"):
        plausible_errors(tiny, PAIRS, NAMED_PROMPTS["sequence"], seed=0)
