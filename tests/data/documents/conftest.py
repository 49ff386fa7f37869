"""Results of segments without a model: every test says itself what was found."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from headwise.data.documents import (
    DocumentFormat,
    DocumentOptions,
    Marking,
    Results,
    Segment,
    segments_of,
    write_document,
)

Spans = Sequence[tuple[int, int]]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., bytes]:
    """Copy a document with results of its segments; gives what was written."""

    def write(
        source: Path,
        kind: DocumentFormat,
        *,
        spans: Callable[[Segment], Spans] = lambda _: (),
        marked: bool = False,
        states: bool = False,
        flagged: bool = False,
        rows: bool = True,
        options: DocumentOptions = DocumentOptions(),
        output: Path | None = None,
    ) -> bytes:
        lines, rejects = tmp_path / "lines.jsonl", tmp_path / "rejects.jsonl"
        found: list[dict[str, Any]] = []
        wanted = [one for one in segments_of(source, kind, options) if not one.skipped(options)]
        for segment in wanted:
            to_check = [
                {"text": segment.target[a:b], "start": a, "end": b, "quality": 0.25}
                for a, b in spans(segment)
            ]
            row = {"hypothesis": segment.target, "score": 0.5, "signals": {"quality": 0.5}}
            found.append({**row, "flagged": flagged, "to_check": to_check})
        numbers = enumerate(wanted, start=1)
        left = [{"line": number} for number, one in numbers if not rows or one.fault is not None]
        good = [row for row, one in zip(found, wanted, strict=True) if one.fault is None]
        lines.write_text("".join(json.dumps(row) + "\n" for row in good if rows))
        rejects.write_text("".join(json.dumps(row) + "\n" for row in left))
        output = output or tmp_path / f"out{source.suffix}"
        write_document(
            source,
            kind,
            output,
            Results(lines, rejects),
            options=options,
            marking=Marking(engine="a model", spans=marked, states=states),
        )
        return output.read_bytes()

    return write
