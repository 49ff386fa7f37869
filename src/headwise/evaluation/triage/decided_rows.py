"""Files of scored segments, read for triage and written with what becomes of each."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headwise.data.jobs import OutputFormat
from headwise.data.jobs.files import TABLE_WRITERS
from headwise.data.readers.layout import Format
from headwise.data.readers.rows import Row
from headwise.data.readers.scored import ScoredRow, read_scored_rows
from headwise.data.readers.tables import open_table
from headwise.data.writers import CellKind, TableLayout, json_line
from headwise.evaluation.triage.promise import Action
from headwise.evaluation.triage.segments import Segments
from headwise.files import atomic_path, naming_output

DECISION, FILE = "decision", "file"
# What rows of word and token level hold beside what a table of segments shows
_DETAIL = ("words", "tokens")


@dataclass(frozen=True, slots=True)
class _DecidedColumns:
    """The columns of scored segments, and the decision."""

    of_scores: TableLayout

    @property
    def kinds(self) -> dict[str, CellKind]:
        return {**self.of_scores.kinds, DECISION: "string"}

    def flatten(self, line: bytes) -> dict[str, Any]:
        return self.of_scores.flatten(line)


def read_segments(paths: Sequence[Path]) -> Iterator[ScoredRow]:
    """The rows of scored files; of several, each row says of which file it is.

    Args:
        paths: Files that ``headwise score`` wrote.

    Raises:
        DataError: If a file cannot be read, or is not scored.
    """
    for path in paths:
        for row in read_scored_rows(path):
            if len(paths) == 1:
                yield row
            else:
                extra = {**(row.scored.extra or {}), FILE: str(path)}
                yield replace(row, scored=replace(row.scored, extra=extra))


def write_decisions(
    paths: Sequence[Path],
    segments: Segments,
    decisions: Sequence[Action],
    output: Path,
    *,
    output_format: OutputFormat,
) -> None:
    """Write the rows of scored files with their decisions, as JSON lines or as a table.

    Args:
        paths: The files.
        segments: What :func:`read_segments` gave of them.
        decisions: One a segment.
        output: The file to write. It appears, or is replaced, only when it is complete.
        output_format: Its format; tables leave out words and tokens.

    Raises:
        OutputError: If nothing can be written.
    """
    rows = (
        row | {DECISION: decision.value}
        for row, decision in zip(_rows(paths), decisions, strict=True)
    )
    with naming_output(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        if (write := TABLE_WRITERS.get(output_format)) is None:
            with atomic_path(output) as temporary, temporary.open("wb") as stream:
                stream.writelines(map(json_line, rows))
            return
        with tempfile.TemporaryDirectory(prefix="headwise-") as folder:
            lines = Path(folder) / "rows.jsonl"
            with lines.open("wb") as stream:
                for row in rows:
                    stream.write(json_line({k: v for k, v in row.items() if k not in _DETAIL}))
            layout = TableLayout(
                signals=segments.rows[0].scored.signals,
                level="sentence",
                has_source=any(row.scored.source is not None for row in segments.rows),
            )
            write(lines, output, _DecidedColumns(layout))


def _rows(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The rows as they stand in the files, which were read once without complaint."""
    for path in paths:
        with open_table(path, Format.JSONL) as table:
            for row in table.rows:
                assert isinstance(row, Row)
                yield row.values if len(paths) == 1 else {FILE: str(path), **row.values}
