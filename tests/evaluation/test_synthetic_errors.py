import pytest

from headwise.backbones import NAMED_PROMPTS, CausalBackbone, EncodedPair
from headwise.data.pairs import Pair
from headwise.evaluation import error_labels
from headwise.evaluation.synthetic_errors import KnownTranslations, pair_generator

# Three tokens of "ab cde" and a closing one
ENCODED = EncodedPair(
    input_ids=(9, 1, 2, 3), first=0, targets=(1, 2, 3, 0), ranges=((0, 2), (3, 5), (5, 6))
)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 2, [True, False, False, False]),
        (1, 4, [True, True, False, False]),
        (3, 6, [False, True, True, False]),
        (5, 6, [False, False, True, False]),
        (2, 3, [False, False, False, False]),
        (0, 6, [True, True, True, False]),
    ],
)
def test_labels_are_what_overlaps(start: int, end: int, expected: list[bool]) -> None:
    assert error_labels(ENCODED, start, end) == expected


@pytest.mark.parametrize(("start", "end"), [(2, 2), (3, 1), (-1, 2)])
def test_an_error_covers_characters(start: int, end: int) -> None:
    with pytest.raises(ValueError, match=f"start={start} and end={end}"):
        error_labels(ENCODED, start, end)


def test_labels_of_tokens_spell_the_word(parrot: CausalBackbone) -> None:
    text = "Zwei Männer trinken grünen Tee."
    (encoded,) = parrot.encode([("Two men drink green tea.", text)], NAMED_PROMPTS["tiny"])
    assert isinstance(encoded, EncodedPair)
    start = text.index("trinken")
    labels = error_labels(encoded, start, start + len("trinken"))
    assert len(labels) == len(encoded.targets)
    marked = [token for token, label in zip(encoded.targets, labels, strict=True) if label]
    assert parrot.tokenizer.decode(marked).strip() == "trinken"


def test_known_translations() -> None:
    pair = Pair("May I help you?", "Kann ich euch helfen?")
    known = KnownTranslations(
        [pair, Pair("May I help you?", "Darf ich dir helfen?"), Pair(None, "Kann er?")]
    )
    assert known.include("May I help you?", "kann  ich euch helfen ?")
    assert not known.include("May I help you?", "Kann ich dir helfen?")
    assert not known.include("Can he?", "Kann er?")
    assert not known.include(None, "Kann er?")
    assert known.other_words(pair) == {"darf", "ich", "dir", "helfen", "?"}
    assert known.other_words(Pair(None, "Kann er?")) == set()


def test_each_pair_has_randomness_of_its_own() -> None:
    draws = {pair_generator(seed, index).random() for seed in range(3) for index in range(20)}
    assert len(draws) == 60
    assert pair_generator(1, 2).random() == pair_generator(1, 2).random()
