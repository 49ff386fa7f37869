"""How well marked ranges of a text, and their severities, agree with gold ones."""

import operator
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwise.metrics.metric import Metric
from headwise.metrics.resampled import Statistic, ratio

Range = tuple[int, int]
"""First character and the one after the last."""

MINOR, MAJOR = "minor", "major"
SeveritySpan = tuple[int, int, str]
"""First character, one past the last, and the severity: :data:`MINOR` or :data:`MAJOR`."""

# What a character is worth whose severity is the other one
_PARTIAL = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanScores:
    """Agreement of marked and gold ranges, summed over all texts (micro average).

    Attributes:
        precision: Share of marked units that are marked in the gold too.
        recall: Share of the gold's marked units that are marked.
        f1: Their harmonic mean.
    """

    precision: Metric
    recall: Metric
    f1: Metric


def span_scores(
    predicted: Sequence[Sequence[Range]], gold: Sequence[Sequence[Range]]
) -> SpanScores:
    """Agreement in characters.

    Args:
        predicted: Marked ranges of each text, n texts; ranges of one text may be in any order,
            and what two of them share counts once. Empty ranges mark nothing.
        gold: Gold ranges of each text, likewise.

    Returns:
        ``span_precision``, ``span_recall`` and ``span_f1`` in [0, 1], of n texts. Precision is
        undefined if nothing is marked, recall if the gold marks nothing, F1 if both are so.

    Raises:
        ValueError: If the numbers of texts differ, or a range is not 0 <= start <= end.

    References:
        Blain et al. 2023, WMT (F1 over characters; here without severities).
    """
    return _scores(span_statistics(predicted, gold))


def token_span_scores(
    predicted: Sequence[Sequence[Range]],
    gold: Sequence[Sequence[Range]],
    tokens: Sequence[Sequence[Range]],
) -> SpanScores:
    """Agreement in tokens; a token is marked if it shares a character with a range.

    Args:
        predicted: Marked ranges of each text, in characters, n texts.
        gold: Gold ranges of each text, likewise.
        tokens: Ranges of the tokens of each text. Empty ones are never marked.

    Returns:
        ``token_span_precision``, ``token_span_recall`` and ``token_span_f1`` in [0, 1], of n
        texts; undefined as in `span_scores`.

    Raises:
        ValueError: If the numbers of texts differ, or a range is not 0 <= start <= end.
    """
    return _scores(span_statistics(predicted, gold, tokens))


def overlap_counts(
    predicted: Sequence[Sequence[Range]],
    gold: Sequence[Sequence[Range]],
    tokens: Sequence[Sequence[Range]] | None = None,
) -> NDArray[np.int64]:
    """What precision, recall and F1 are made of, text by text, as for resampling.

    Args:
        predicted: Marked ranges of each text, in characters, n texts.
        gold: Gold ranges of each text, likewise.
        tokens: Ranges of the tokens of each text, to count tokens instead of characters.

    Returns:
        For each text, how many units both mark, how many are marked, and how many the gold
        marks, ``(n, 3)``.

    Raises:
        ValueError: If the numbers of texts differ, or a range is not 0 <= start <= end.
    """
    sides = {"predicted": predicted, "gold": gold} | ({} if tokens is None else {"tokens": tokens})
    if len({len(side) for side in sides.values()}) > 1:
        found = ", ".join(f"{len(side)} of `{name}`" for name, side in sides.items())
        raise ValueError(f"Each text must have an entry on every side, got {found}.")
    counts = np.zeros((len(predicted), 3), dtype=np.int64)
    for text in range(len(predicted)):
        marked = _merged(_checked(predicted[text], name="predicted", text=text))
        wanted = _merged(_checked(gold[text], name="gold", text=text))
        if tokens is None:
            counts[text] = _shared(marked, wanted), _length(marked), _length(wanted)
        else:
            units = _checked(tokens[text], name="tokens", text=text)
            hit, hit_in_gold = _hit(units, marked), _hit(units, wanted)
            counts[text] = (hit & hit_in_gold).sum(), hit.sum(), hit_in_gold.sum()
    return counts


def _checked(ranges: Sequence[Range], *, name: str, text: int) -> list[Range]:
    checked = []
    for entry in ranges:
        try:
            start, end = map(operator.index, entry)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"`{name}` must hold pairs of integers, got {entry!r} in text {text}."
            ) from error
        if not 0 <= start <= end:
            raise ValueError(
                f"`{name}` must hold ranges with 0 <= start <= end, got {entry!r} in text {text}."
            )
        checked.append((start, end))
    return checked


def _merged(ranges: list[Range]) -> list[Range]:
    """The same characters as non-empty ranges that rise and do not touch."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if start == end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _length(ranges: list[Range]) -> int:
    return sum(end - start for start, end in ranges)


def _shared(one: list[Range], other: list[Range]) -> int:
    """Number of characters in both of two merged lists."""
    return _length(one) + _length(other) - _length(_merged(one + other))


def _hit(tokens: list[Range], ranges: list[Range]) -> NDArray[np.bool_]:
    """Which tokens share a character with a merged list of ranges."""
    hit = np.zeros(len(tokens), dtype=np.bool_)
    ends = [end for _, end in ranges]
    for index, (start, end) in enumerate(tokens if ranges else ()):
        # The first range that ends behind the token's start is the only one to look at
        at = bisect_right(ends, start)
        hit[index] = start < end and at < len(ranges) and ranges[at][0] < end
    return hit


def span_statistics(
    predicted: Sequence[Sequence[Range]],
    gold: Sequence[Sequence[Range]],
    tokens: Sequence[Sequence[Range]] | None = None,
) -> tuple[Statistic, Statistic, Statistic]:
    """Precision, recall and F1 of texts that can be weighted; in tokens where these are given.

    Arguments and errors are those of `overlap_counts`.
    """
    prefix, unit = ("span", "character") if tokens is None else ("token_span", "token")
    both, marked, wanted = overlap_counts(predicted, gold, tokens).T

    def share(name: str, part: NDArray[np.int64], whole: NDArray[np.int64], why: str) -> Statistic:
        return ratio(f"{prefix}_{name}", part, whole, reason=why, of_none=why)

    return (
        share("precision", both, marked, f"No {unit} is marked."),
        share("recall", both, wanted, f"The gold marks no {unit}."),
        share("f1", 2 * both, marked + wanted, f"No {unit} is marked, nor in the gold."),
    )


def _scores(statistics: tuple[Statistic, Statistic, Statistic]) -> SpanScores:
    precision, recall, f1 = (statistic.metric() for statistic in statistics)
    return SpanScores(precision=precision, recall=recall, f1=f1)


def severity_span_scores(
    predicted: Sequence[Sequence[SeveritySpan]], gold: Sequence[Sequence[SeveritySpan]]
) -> SpanScores:
    """Agreement in characters: 1 for one of the same severity, 0.5 for one of the other.

    A character counts as often as it is marked, so that spans of several raters may overlap.

    Args:
        predicted: Marked spans of each text, n texts, in any order. Empty ones mark nothing.
        gold: Gold spans of each text, likewise.

    Returns:
        ``severity_span_precision``, ``severity_span_recall`` and ``severity_span_f1`` in [0, 1], of
        n texts (micro average). Precision is undefined if nothing is marked, recall if the gold
        marks nothing, F1 if both are so.

    Raises:
        ValueError: If the numbers of texts differ, a range is not 0 <= start <= end, or a severity
            is another one.

    References:
        The span-level task of the WMT25 shared task on automated translation quality evaluation
        (Lavie et al. 2025); Blain et al. 2023 before.
    """
    precision, recall, f1 = (one.metric() for one in severity_span_statistics(predicted, gold))
    return SpanScores(precision=precision, recall=recall, f1=f1)


def severity_span_statistics(
    predicted: Sequence[Sequence[SeveritySpan]], gold: Sequence[Sequence[SeveritySpan]]
) -> tuple[Statistic, Statistic, Statistic]:
    """Precision, recall and F1 of texts that can be weighted.

    Arguments and errors are those of :func:`severity_span_scores`.
    """
    if len(predicted) != len(gold):
        raise ValueError(
            f"Each text must have an entry on both sides, got {len(predicted)} of `predicted` and "
            f"{len(gold)} of `gold`."
        )
    rows = [_severity_counts(*texts) for texts in zip(predicted, gold, strict=True)]
    credit, marked, wanted = np.array(rows, dtype=np.float64).reshape(-1, 3).T

    def share(
        name: str, part: NDArray[np.float64], whole: NDArray[np.float64], why: str
    ) -> Statistic:
        return ratio(f"severity_span_{name}", part, whole, reason=why, of_none=why)

    return (
        share("precision", credit, marked, "No character is marked."),
        share("recall", credit, wanted, "The gold marks no character."),
        share("f1", 2 * credit, marked + wanted, "No character is marked, nor in the gold."),
    )


def agreement(predicted: NDArray[np.int64], gold: NDArray[np.int64]) -> float:
    """What characters earn that are marked so often as minor and as major, each ``(2, C)``."""
    shared = np.minimum(predicted, gold)
    left = np.minimum((predicted - shared).sum(axis=0), (gold - shared).sum(axis=0))
    return float(shared.sum() + _PARTIAL * left.sum())


def character_counts(spans: Sequence[SeveritySpan], length: int) -> NDArray[np.int64]:
    """How often each of C characters is marked as minor and as major, ``(2, C)``."""
    counts = np.zeros((2, length), dtype=np.int64)
    for start, end, severity in spans:
        counts[(MINOR, MAJOR).index(severity), start:end] += 1
    return counts


def _severity_counts(
    predicted: Sequence[SeveritySpan], gold: Sequence[SeveritySpan]
) -> tuple[float, int, int]:
    """Credit, marked and gold characters of a text."""
    for name, spans in (("predicted", predicted), ("gold", gold)):
        for start, end, severity in spans:
            if not 0 <= start <= end or severity not in (MINOR, MAJOR):
                raise ValueError(
                    f"`{name}` must hold (start, end, severity) with 0 <= start <= end and "
                    f"`{MINOR}` or `{MAJOR}`, got {(start, end, severity)!r}."
                )
    length = max((end for _, end, _ in (*predicted, *gold)), default=0)
    marked, wanted = (character_counts(spans, length) for spans in (predicted, gold))
    return agreement(marked, wanted), int(marked.sum()), int(wanted.sum())
