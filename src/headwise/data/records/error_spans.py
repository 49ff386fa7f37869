"""Human marks of errors in a text, as ranges of its characters."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from headwise.data.records.json_values import expect
from headwise.errors import InputError

Range = tuple[int, int]
"""First character and one past the last."""

SEVERITIES = ("minor", "major", "critical")
"""How bad an error is in the words of MQM and ESA, in rising order."""

_MARK = re.compile("</?v>")
# Marks that are no errors
_NO_ERRORS = frozenset({"neutral", "no-error", "no error"})
_SHOWN_CHARACTERS = 20
# ESA marks what was left out of the translation this way; others leave the place open
_NOWHERE = (None, "missing")


@dataclass(frozen=True, slots=True)
class ErrorSpan:
    """Neighbouring characters of a hypothesis that a person marked as wrong.

    A span without characters, ``start == end``, is a *gap*: something is missing in front of the
    character at ``start``, or at the end of the text.

    Attributes:
        start: First character in the hypothesis, counted in Unicode code points from 0.
        end: One past the last character.
        severity: How bad it is, in the words of the annotation scheme, such as ``Major``.
    """

    start: int
    end: int
    severity: str | None = None
    category: str | None = None
    rater: str | None = None

    @property
    def known_severity(self) -> str | None:
        """One of :data:`SEVERITIES`, whatever its case; ``None`` for all other words."""
        said = (self.severity or "").strip().casefold()
        return said if said in SEVERITIES else None

    @property
    def is_error(self) -> bool:
        """Whether the mark is that of an error; neutral ones are not."""
        return (self.severity or "").strip().casefold() not in _NO_ERRORS


def read_annotations(annotations: object, hypothesis: str) -> tuple[ErrorSpan, ...] | None:
    """Check marks that stand in a row, and leave out those of missing text without a place.

    They are a list of objects with ``start`` and ``end``, character offsets into the hypothesis,
    the end exclusive. Where text is missing, both are the same offset: that of what follows the
    gap; or both are ``null`` or ``"missing"`` if nobody knows the place. If known, also
    ``severity``, ``category`` and ``rater``. Other keys are not read. ``None`` if nobody looked.

    Raises:
        InputError: If they are something else, or reach out of the hypothesis.

    References:
        Kocmi et al. 2024, arXiv 2406.11580 (ESA), for marks of missing text.
    """
    if annotations is None:
        return None
    marks = expect(annotations, list, "`annotations`", "a list of marks")
    spans = (_span(mark, number, hypothesis) for number, mark in enumerate(marks, start=1))
    return tuple(span for span in spans if span is not None)


def annotation_row(span: ErrorSpan) -> dict[str, Any]:
    """A mark for JSON, without what is not known."""
    return {name: value for name, value in asdict(span).items() if value is not None}


def _span(mark: object, number: int, hypothesis: str) -> ErrorSpan | None:
    if not isinstance(mark, Mapping) or not {"start", "end"} <= set(mark):
        raise InputError(f"Annotation {number} must be an object with `start` and `end`.")
    if mark["start"] in _NOWHERE and mark["end"] in _NOWHERE:
        return None
    start, end = (
        expect(mark[name], int, f"`{name}` of annotation {number}") for name in ("start", "end")
    )
    if not 0 <= start <= end <= len(hypothesis):
        raise InputError(
            f"Annotation {number} marks the characters from {start} to {end} of a hypothesis that "
            f"has {len(hypothesis)}; 0 <= start <= end <= {len(hypothesis)} must hold."
        )
    words = {
        name: expect(mark[name], str, f"`{name}` of annotation {number}")
        for name in ("severity", "category", "rater")
        if mark.get(name) is not None
    }
    return ErrorSpan(start, end, **words)


def marked_ranges(errors: Iterable[ErrorSpan], text: str) -> tuple[Range, ...]:
    """The characters that marks are about: without white space at their ends.

    People select a space beside a word as easily as not; it makes no neighbour wrong. Gaps, and
    marks around nothing but white space, are about no character.
    """
    found = []
    for error in errors:
        marked = text[error.start : error.end]
        start = error.start + len(marked) - len(marked.lstrip())
        end = error.end - len(marked) + len(marked.rstrip())
        if start < end:
            found.append((start, end))
    return tuple(found)


def missing_places(errors: Iterable[ErrorSpan]) -> tuple[int, ...]:
    """Where something is missing: the places of the gaps among some marks, each once, in order."""
    return tuple(sorted({error.start for error in errors if error.start == error.end}))


def is_marked(place: Range, marked: Sequence[Range]) -> bool:
    """Whether characters share one with any marked range."""
    return any(start < place[1] and end > place[0] for start, end in marked)


def split_marks(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Take the marks ``<v>`` and ``</v>``, which stand around errors, out of a text.

    Returns:
        The plain text, and the ``(start, end)`` ranges of its characters that stood between
        marks, in order. A range is empty if nothing did.

    Raises:
        ValueError: If a mark is not closed, not opened, or stands inside another.
    """
    pieces: list[str] = []
    ranges: list[tuple[int, int]] = []
    length = 0
    read_to = 0
    opened: int | None = None
    for mark in _MARK.finditer(text):
        pieces.append(text[read_to : mark.start()])
        length += len(pieces[-1])
        read_to = mark.end()
        if mark[0] == "<v>":
            if opened is not None:
                raise ValueError(f"a `<v>` stands inside another, {_place(text, mark.start())}")
            opened = length
        else:
            if opened is None:
                raise ValueError(f"a `</v>` closes no `<v>`, {_place(text, mark.start())}")
            ranges.append((opened, length))
            opened = None
    if opened is not None:
        raise ValueError(f"a `<v>` is not closed, {_place(text, text.rindex('<v>'))}")
    return "".join([*pieces, text[read_to:]]), ranges


def _place(text: str, position: int) -> str:
    return f"at {text[position : position + _SHOWN_CHARACTERS]!r}"
