"""What models say of tokens and sentences as spans of words."""

from typing import Any, cast

import pytest

from headwise.grounding import CheckedSentence, UnsupportedQuantity
from headwise.grounding.spans import DoubtedToken, unsupported_spans

ANSWER = "A man sings. He is 900 years old."


class _Sentence:
    """A sentence of which only place and probability matter."""

    def __init__(self, start: int, end: int, probability: float) -> None:
        self.start, self.end, self.probability = start, end, probability


def sentences(*given: tuple[int, int, float]) -> list[CheckedSentence]:
    return [cast(CheckedSentence, _Sentence(*one)) for one in given]


def spans(**given: object) -> list[tuple[str, Any, str]]:
    options = {"tokens": None, "sentences": None, "quantities": (), "threshold": 0.5} | given
    found = unsupported_spans(ANSWER, **options)  # type: ignore[arg-type]
    assert all(ANSWER[one.start : one.end] == one.text for one in found)
    return [(one.text, one.probability, "+".join(one.found_by)) for one in found]


def test_a_word_is_as_doubtful_as_its_worst_token_and_neighbours_are_one_span() -> None:
    tokens = [
        DoubtedToken(0, 1, 0.1),
        DoubtedToken(1, 4, 0.2),
        DoubtedToken(4, 5, 0.9),
        DoubtedToken(5, 11, 0.6),
        DoubtedToken(11, 12, 0.4),
        DoubtedToken(27, 32, 0.5),
    ]
    assert spans(tokens=tokens) == [("man sings", 0.9, "head"), ("years old", 0.5, "head")]


def test_sentences_stay_apart() -> None:
    both = sentences((0, 12, 0.7), (13, 33, 0.8))
    assert spans(sentences=both) == [
        ("A man sings.", 0.7, "entailment"),
        ("He is 900 years old.", 0.8, "entailment"),
    ]
    assert spans(sentences=sentences((0, 12, 0.7), (13, 33, 0.2))) == [
        ("A man sings.", 0.7, "entailment")
    ]


def test_both_models_decide_by_their_mean() -> None:
    tokens = [DoubtedToken(0, 12, 0.9), DoubtedToken(12, 33, 0.3)]
    both = sentences((0, 12, 0.2), (13, 33, 0.8))
    assert spans(tokens=tokens, sentences=both) == [
        ("A man sings.", pytest.approx(0.55), "head"),
        ("He is 900 years old.", pytest.approx(0.55), "entailment"),
    ]
    assert spans(tokens=tokens, sentences=both, threshold=0.6) == []


def test_quantities_hold_whatever_models_say() -> None:
    quantity = UnsupportedQuantity(19, 22, "900", "number")
    assert spans(quantities=[quantity]) == [("900", None, "quantity")]
    assert spans(quantities=[quantity], tokens=[DoubtedToken(0, 33, 0.1)]) == [
        ("900", None, "quantity")
    ]
    assert spans(quantities=[quantity], tokens=[DoubtedToken(16, 26, 0.7)]) == [
        ("is 900 years", 0.7, "head+quantity")
    ]
