"""Marks of errors that stand in a row beside the text, as ranges of its characters."""

from collections.abc import Mapping
from typing import Any

from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.json_values import kind_of
from headwise.errors import InputError

# ESA marks what was left out of the translation this way; others leave the place open
_NOWHERE = (None, "missing")


def read_annotations(annotations: object, hypothesis: str) -> tuple[ErrorSpan, ...]:
    """Check marks, and leave out those of missing text that name no place in the hypothesis.

    Args:
        annotations: A list of objects with ``start`` and ``end``, character offsets into the
            hypothesis, the end exclusive. Where text is missing, both are the same offset: that
            of what follows the gap; or both are ``null`` or ``"missing"`` if nobody knows the
            place. If known, also ``severity``, ``category`` and ``rater``. Other keys are not
            read.
        hypothesis: The text that they mark.

    Raises:
        InputError: If they are something else, or reach out of the hypothesis.

    References:
        Kocmi et al. 2024, arXiv 2406.11580 (ESA), for marks of missing text.
    """
    if not isinstance(annotations, list):
        raise InputError(f"`annotations` must be a list of marks, got {kind_of(annotations)}.")
    spans = (_span(mark, number, hypothesis) for number, mark in enumerate(annotations, start=1))
    return tuple(span for span in spans if span is not None)


def count_missing(annotations: object) -> int:
    """How many of some marks are of missing text without a place in the hypothesis."""
    if not isinstance(annotations, list):
        return 0
    return sum(
        isinstance(mark, dict) and {"start", "end"} <= set(mark) and _is_nowhere(mark)
        for mark in annotations
    )


def annotation_row(span: ErrorSpan) -> dict[str, Any]:
    """A mark for JSON, without what is not known."""
    row = {name: getattr(span, name) for name in ErrorSpan.__slots__}
    return {name: value for name, value in row.items() if value is not None}


def _is_nowhere(mark: Mapping[str, Any]) -> bool:
    return mark["start"] in _NOWHERE and mark["end"] in _NOWHERE


def _span(mark: object, number: int, hypothesis: str) -> ErrorSpan | None:
    if not isinstance(mark, dict) or not {"start", "end"} <= set(mark):
        raise InputError(f"Annotation {number} must be an object with `start` and `end`.")
    start, end = mark["start"], mark["end"]
    if _is_nowhere(mark):
        return None
    for name, offset in (("start", start), ("end", end)):
        if type(offset) is not int:  # true and false are no offsets
            raise InputError(
                f"`{name}` of annotation {number} must be an integer, got {kind_of(offset)}."
            )
    if not 0 <= start <= end <= len(hypothesis):
        raise InputError(
            f"Annotation {number} marks the characters from {start} to {end} of a hypothesis that "
            f"has {len(hypothesis)}; 0 <= start <= end <= {len(hypothesis)} must hold."
        )
    words = {name: mark.get(name) for name in ("severity", "category", "rater")}
    for name, word in words.items():
        if word is not None and not isinstance(word, str):
            raise InputError(
                f"`{name}` of annotation {number} must be a string, got {kind_of(word)}."
            )
    return ErrorSpan(start, end, **words)
