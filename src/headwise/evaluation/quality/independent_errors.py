"""Errors to judge by: made by rules of their own, which no head was trained with.

A head that learned from the families of `corruption` knows their habits. These errors were written
without looking at those families, and nothing that trains or calibrates may use them.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.evaluation.quality.independent_edits import (
    EDITS,
    Edit,
    RightWords,
    TextAt,
    words_of,
)

INDEPENDENT = "independent"
"""What these errors are called where families of errors are chosen."""
INDEPENDENT_KINDS = tuple(EDITS)
"""What `independent_errors` does to texts."""

_TRIES = 40
_TWO_ERRORS = 0.25
_FEWEST_WORDS_FOR_TWO = 4


@dataclass(frozen=True, slots=True)
class IndependentError:
    """A copy of a correct text with an error or two.

    Attributes:
        pair: The copy; its marks are exactly the characters that are wrong. What is missing is a
            mark without characters, in front of what follows.
        original: The correct hypothesis.
        kinds: What was done, an entry an error; names of `INDEPENDENT_KINDS`.
    """

    pair: Pair
    original: str
    kinds: tuple[str, ...]


def independent_errors(
    pairs: Sequence[Pair],
    *,
    corpus: Iterable[str] | None = None,
    kinds: Sequence[str] = INDEPENDENT_KINDS,
    seed: int = 0,
) -> list[IndependentError]:
    """Make a copy of each correct text with one error, in a quarter of the longer ones with two.

    The error of a text hangs on the pair, the corpus, the seed and the other translations of its
    source, not on its place or on other texts.
    A text to which nothing can be done has no copy.

    Args:
        pairs: Correct texts.
        corpus: Right texts whose words are put in; those of the pairs by default.
        kinds: What may be done, some of `INDEPENDENT_KINDS`; kinds keep their relative frequency.
        seed: Another one, other errors.

    Raises:
        ValueError: If a kind is unknown, or none is given.
    """
    if not kinds or (unknown := [kind for kind in kinds if kind not in EDITS]):
        raise ValueError(
            f"`kinds` must name some of {', '.join(EDITS)}, "
            f"got {unknown[0] if kinds else 'none'!r}."
        )
    words = RightWords([pair.hypothesis for pair in pairs] if corpus is None else corpus)
    right = defaultdict(set)
    for pair in pairs:
        right[pair.source].add(pair.hypothesis)
    found = (_corrupted(pair, words, kinds, right[pair.source], seed) for pair in pairs)
    return [error for error in found if error is not None]


def _corrupted(
    pair: Pair, words: RightWords, kinds: Sequence[str], right: set[str], seed: int
) -> IndependentError | None:
    text = pair.hypothesis
    rng = random.Random(f"{seed}\n{pair.source}\n{text}")
    places = words_of(text)
    at = TextAt(text, pair.source, places, words, rng)
    many = len(places) >= _FEWEST_WORDS_FOR_TWO and rng.random() < _TWO_ERRORS
    weights = [EDITS[kind][0] for kind in kinds]
    edits: dict[Edit, str] = {}
    for _ in range(_TRIES if places and words.running else 0):
        (kind,) = rng.choices(kinds, weights)
        edit = EDITS[kind][1](at, rng.randrange(len(places)))
        if edit is None or any(edit.start <= e.end and e.start <= edit.end for e in edits):
            continue
        if _edited(text, [edit])[0] in right:
            continue
        edits[edit] = kind
        if len(edits) == 1 + many:
            break
    if not edits:
        return None
    hypothesis, marks = _edited(text, edits)
    wrong = replace(pair, hypothesis=hypothesis, errors=marks, tags=None)
    return IndependentError(wrong, text, tuple(edits.values()))


def _edited(text: str, edits: Iterable[Edit]) -> tuple[str, tuple[ErrorSpan, ...]]:
    pieces, marks, length, read = [], [], 0, 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        pieces += [text[read : edit.start], edit.text]
        length += edit.start - read
        marks += [ErrorSpan(length + start, length + end) for start, end in edit.wrong]
        length += len(edit.text)
        read = edit.end
    return "".join([*pieces, text[read:]]), tuple(marks)
