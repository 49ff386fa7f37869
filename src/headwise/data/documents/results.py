"""What a job found out of the segments of a document, in the order of the document."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote

from headwise.data.documents.segments import Segment
from headwise.data.records.error_spans import Range
from headwise.data.records.signals import Signal
from headwise.errors import OutputError

# Without the search for the encoding that json.loads begins with
_DECODE = json.JSONDecoder().raw_decode
# What is written of a segment begins with it, so that it is known again
OWN = "headwise"


class Doubt(NamedTuple):
    """Some characters of a translation that a person should look at.

    Attributes:
        start: The first one; that of a gap, of which there is no character, is its place.
        end: One past the last.
        text: The characters.
        confidence: In [0, 1].
    """

    start: int
    end: int
    text: str
    confidence: float | None


class SegmentResult(NamedTuple):
    """What is written into a document of one segment.

    Attributes:
        confidence: Of the whole translation, in [0, 1]; ``None`` if it has no score.
        flagged: Whether a person should look at it.
        doubts: Where in it, in order.
    """

    confidence: float | None
    flagged: bool
    doubts: tuple[Doubt, ...]

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """What a scored row says."""
        main = Signal(next(iter(row["signals"])))
        doubts = [
            Doubt(one["start"], one["end"], one["text"], _confidence(main, one))
            for one in row.get("to_check", ())
        ]
        return cls(main.confidence(row["score"]), bool(row.get("flagged")), tuple(doubts))

    @property
    def spans(self) -> list[Range]:
        """The doubts that have characters."""
        return [(doubt.start, doubt.end) for doubt in self.doubts if doubt.start < doubt.end]

    @property
    def said(self) -> str:
        """The result in words, in one line: ``0.8312; check: "word"``."""
        score = "no score" if self.confidence is None else f"{self.confidence:.4f}"
        if not self.doubts:
            return score
        words = [f'"{" ".join(one.text.split())}"' for one in self.doubts if one.start < one.end]
        if any(one.start == one.end for one in self.doubts):
            words.append("something missing")
        shown = ", ".join(dict.fromkeys(words))
        return f"{score}; check: {shown}" if shown else score


def _confidence(main: Signal, span: Mapping[str, Any]) -> float | None:
    signal = main if span["start"] < span["end"] else Signal.OMISSION
    return signal.confidence(span.get(signal.value))


@dataclass(frozen=True, kw_only=True)
class Marking:
    """How results are written into a document.

    Attributes:
        engine: The model that scored, as it is named in documents.
        spans: Whether the words to check are marked in the text.
        states: Whether flagged segments are given the state of those that need a review.
    """

    engine: str
    spans: bool = False
    states: bool = False

    @cached_property
    def identifier(self) -> str:
        """The engine as the IRI that standards ask for."""
        return f"{OWN}:{quote(self.engine, safe='/@:.-_~')}"


class Results:
    """The lines of a job and its rejects, met segment by segment.

    Attributes:
        is_empty: Whether no segment has a result.

    Args:
        lines: File of scored rows.
        rejects: File of those that could not be scored; it need not be there.
    """

    def __init__(self, lines: Path, rejects: Path) -> None:
        self.is_empty = not lines.stat().st_size
        self._lines, self._rejects = _rows(lines), _rows(rejects)
        self._rejected = next(self._rejects, None)
        self._number = 0

    def take(self, segment: Segment) -> SegmentResult | None:
        """The result of the next segment that was read; ``None`` if it could not be scored.

        Args:
            segment: The segment as the document is read once more.

        Raises:
            OutputError: If the rows are those of another document.
        """
        self._number += 1
        if self._rejected is not None and self._rejected["line"] == self._number:
            self._rejected = next(self._rejects, None)
            return None
        row = next(self._lines, None)
        if row is None or row["hypothesis"] != segment.target:
            raise OutputError(
                f"Segment {self._number} of the document is not the one that was scored; the "
                "document was changed meanwhile. Pass --overwrite to start anew."
            )
        return SegmentResult.of_row(row)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        with path.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                yield _DECODE(line)[0]
