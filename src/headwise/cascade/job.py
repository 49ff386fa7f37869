"""Answer a file of questions row by row, so that a job killed at any moment goes on."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from headwise.cascade.answers import CascadeAnswer
from headwise.cascade.cascade import Cascade
from headwise.data.jobs import JobDone, run_job
from headwise.data.readers import Layout
from headwise.data.readers.texts import has_columns, read_texts
from headwise.data.records.pairs import Pair, Reject
from headwise.data.writers import CellKind, TableColumns
from headwise.errors import InputError

# Answers come one by one, and each may take seconds
_ROWS = 8
_ATTEMPT: Mapping[str, str] = {
    "stage": "string",
    "answer": "string",
    "quality": "double",
    "accepted": "bool",
    "cost": "double",
    "seconds": "double",
    "error": "string",
}
_KINDS: Mapping[str, CellKind] = {
    "source": "string",
    "answer": "string",
    "stage": "string",
    "abstained": "bool",
    "quality": "double",
    "cost": "double",
    "seconds": "double",
    "attempts": _ATTEMPT,
}


@dataclass(frozen=True, slots=True)
class _AnswerColumns:
    """The columns of a table of answers."""

    @property
    def kinds(self) -> Mapping[str, CellKind]:
        """Question, answer, who gave it, and what everybody said."""
        return _KINDS

    def flatten(self, line: bytes) -> dict[str, Any]:
        """A line as a row."""
        row: dict[str, Any] = json.loads(line)
        return row


@dataclass(slots=True, kw_only=True)
class RowAnswers:
    """Answers the questions of a file, as :class:`~headwise.data.jobs.RowWork`.

    Attributes:
        ask_all: Whether all stages are asked, to compare them.
        show: Is given every answer of this run.
        stages: Answers by who gave them.
        abstained: Questions without an answer.
        cost: What all of them cost.
    """

    cascade: Cascade
    ask_all: bool = False
    show: Callable[[CascadeAnswer], object] | None = None
    stages: Counter[str] = field(default_factory=Counter)
    abstained: int = 0
    cost: float = 0.0

    @property
    def most_rows(self) -> int:
        """A few."""
        return _ROWS

    def output_rows(self, rows: Sequence[Pair]) -> Iterator[dict[str, Any] | InputError]:
        """Question, answer and attempts, behind the other columns of the rows."""
        for row in rows:
            try:
                answer = self.cascade.answer_pair(row, ask_all=self.ask_all)
            except InputError as error:
                yield error
                continue
            if self.show is not None:
                self.show(answer)
            yield answer.as_dict()

    def count(self, output_row: Mapping[str, Any]) -> None:
        """Who answered, and what it cost."""
        if output_row["abstained"]:
            self.abstained += 1
        else:
            self.stages[output_row["stage"]] += 1
        self.cost += output_row["cost"]

    def content_of(self, output_row: Mapping[str, Any]) -> str:
        """The question."""
        return Pair(output_row["source"], "").content

    def figures(self) -> dict[str, Any]:
        """The counts."""
        answered = {name: self.stages[name] for name in self.cascade.names}
        return {"answered": answered, "abstained": self.abstained, "cost": self.cost}

    def columns(self) -> TableColumns:
        """The same in all files."""
        return _AnswerColumns()


def answer_file(
    cascade: Cascade,
    source: str | Path,
    output: str | Path | None,
    *,
    column: str | None = None,
    layout: Layout | None = None,
    output_format: str | None = None,
    ask_all: bool = False,
    overwrite: bool = False,
    show: Callable[[CascadeAnswer], object] | None = None,
    progress: bool = False,
) -> JobDone:
    """Answer the questions of a file, or go on doing so where an earlier run was stopped.

    Args:
        cascade: Answers them.
        source: The file to read: a table, or a text a line; ``-`` for standard input.
        output: The file to write; :class:`~headwise.data.jobs.RunFiles` says which files there are
            beside it. ``-`` writes JSONL to standard output and rejects to standard error, and
            cannot be resumed. With ``None``, nothing is kept.
        column: Which column of a table has the questions; ``source`` by default.
        layout: Format and encoding of the input, as far as they should not be found out.
        output_format: ``jsonl``, ``tsv``, ``csv``, ``parquet`` or ``xlsx``; by default the suffix
            says it.
        ask_all: Whether all stages are asked, to compare them.
        overwrite: Start anew and replace what is there, instead of resuming.
        show: Is given every answer of this run.
        progress: Whether to show a progress bar on standard error.

    Returns:
        What was done; among its figures are ``answered`` (answers by stage), ``abstained`` and
        ``cost``.

    Raises:
        DataError: If the input cannot be read.
        OutputError: If the output belongs to another job, or cannot be written.
        StageError: If a stage cannot be asked.
    """
    layout = layout or Layout()
    if column is None and (has_columns(source) or layout.format is not None):
        column = "source"

    def read() -> Iterator[Pair | Reject]:
        for row in read_texts(source, column=column, layout=layout):
            if isinstance(row, Reject):
                yield row
            else:
                yield replace(row, source=row.hypothesis, hypothesis="")

    return run_job(
        RowAnswers(cascade=cascade, ask_all=ask_all, show=show),
        read(),
        output,
        inputs=[source],
        settings=lambda: {
            **asdict(layout),
            "column": column,
            **cascade.content(),
            "ask_all": ask_all,
        },
        output_format=output_format,
        overwrite=overwrite,
        progress="Answering" if progress else None,
        reread=read,
    )
