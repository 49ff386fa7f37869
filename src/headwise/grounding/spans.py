"""Make spans of what models say of tokens and sentences, and of quantities."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from headwise.data.records.scored_pieces import joined_ranges
from headwise.data.records.words import word_ranges
from headwise.grounding.records import (
    CheckedSentence,
    FoundBy,
    UnsupportedQuantity,
    UnsupportedSpan,
)


@dataclass(frozen=True, slots=True)
class DoubtedToken:
    """A token of an answer, ``answer[start:end]``, and the probability that it is unsupported."""

    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    probability: float | None
    found_by: frozenset[FoundBy]


def unsupported_spans(
    answer: str,
    *,
    tokens: Sequence[DoubtedToken] | None,
    sentences: Sequence[CheckedSentence] | None,
    quantities: Sequence[UnsupportedQuantity],
    threshold: float,
) -> tuple[UnsupportedSpan, ...]:
    """Neighbouring words of a sentence that are unsupported, as spans.

    A word is as doubtful as its worst token, and as its sentence; where both models were asked, the
    mean of the two decides. What is part of an unsupported quantity is unsupported whatever they
    say.
    """
    places = word_ranges(answer)
    by_head = _worst(places, tokens)
    by_entailment = _worst(
        places,
        None
        if sentences is None
        else [DoubtedToken(one.start, one.end, one.probability) for one in sentences],
    )
    of_rule = _worst(places, [DoubtedToken(q.start, q.end, 1.0) for q in quantities])
    words: list[_Word] = []
    for place, head, sentence, rule in zip(places, by_head, by_entailment, of_rule, strict=True):
        known = [value for value in (head, sentence) if value is not None]
        probability = sum(known) / len(known) if known else None
        found: set[FoundBy] = set()
        if probability is not None and probability >= threshold:
            found |= {FoundBy.HEAD} if head is not None and head >= threshold else set()
            found |= {FoundBy.ENTAILMENT} if (sentence or 0.0) >= threshold else set()
        found |= {FoundBy.QUANTITY} if rule is not None else set()
        if found:
            words.append(_Word(*place, probability, frozenset(found)))
    # What is said of one sentence is said apart from what is said of the next
    ends = [one.end for one in sentences or ()]
    found_spans: list[UnsupportedSpan] = []
    for _, group in groupby(words, key=lambda word: bisect_right(ends, word.start)):
        own = list(group)
        ranges = joined_ranges([(word.start, word.end) for word in own], answer)
        found_spans += (_span(answer, start, end, own) for start, end in ranges)
    return tuple(found_spans)


def _worst(
    places: Sequence[tuple[int, int]], pieces: Sequence[DoubtedToken] | None
) -> list[float | None]:
    """The largest probability among the pieces that each word touches; both are in order."""
    found: list[float | None] = []
    first = 0
    for start, end in places:
        while pieces and first < len(pieces) and pieces[first].end <= start:
            first += 1
        near, touching = first, []
        while pieces and near < len(pieces) and pieces[near].start < end:
            touching.append(pieces[near].probability)
            near += 1
        found.append(max(touching, default=None))
    return found


def _span(answer: str, start: int, end: int, words: Iterable[_Word]) -> UnsupportedSpan:
    own = [word for word in words if word.start < end and word.end > start]
    known = [word.probability for word in own if word.probability is not None]
    by_models = any(word.found_by - {FoundBy.QUANTITY} for word in own)
    found = {one for word in own for one in word.found_by}
    return UnsupportedSpan(
        start=start,
        end=end,
        text=answer[start:end],
        probability=max(known) if known and by_models else None,
        found_by=tuple(one for one in FoundBy if one in found),
    )
