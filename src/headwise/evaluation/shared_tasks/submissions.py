"""Files of predictions as the WMT shared tasks on translation quality evaluation ask for them.

The tables of 2025 repeat the columns of the test set; the lines of 2026 have one object a segment,
with the predictions for all systems. Both are written in the order of the input.

References:
    Lavie et al. 2025, findings of the WMT25 shared task on automated translation evaluation
    systems, and its scoring script; https://www2.statmt.org/wmt26/mteval-task.html.
"""

import csv
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from headwise.data.readers.corpora.mteval import ITEM
from headwise.data.readers.scored import ScoredRow
from headwise.data.writers import json_line
from headwise.errors import DataError
from headwise.evaluation.shared_tasks.severities import Severities
from headwise.files import atomic_path, naming_output

# Columns of 2025; the tasks read them by their names
_NAMES = (
    *("doc_id", "segment_id", "source_lang", "target_lang", "set_id", "system_id"),
    *("domain_name", "method"),
)
_TEXTS = ("source_segment", "hypothesis_segment", "reference_segment")
_FOUND = ("start_indices", "end_indices", "error_types")


class SharedTask(StrEnum):
    """What is predicted, and in which form.

    Attributes:
        WMT25_SCORES: A score a segment: ``segments.tsv`` with ``overall``.
        WMT25_SPANS: Error spans with severities: ``predictions.tsv`` with ``start_indices``,
            ``end_indices`` and ``error_types``.
        WMT26: Spans, a score from 0 to 100, and whether a segment is free of errors, as JSON lines.
    """

    WMT25_SCORES = "wmt25-scores"
    WMT25_SPANS = "wmt25-spans"
    WMT26 = "wmt26"

    @property
    def has_spans(self) -> bool:
        """Whether rows need tokens."""
        return self is not SharedTask.WMT25_SCORES


def write_submission(
    rows: Iterable[ScoredRow],
    output: Path,
    task: SharedTask,
    severities: Severities | None = None,
) -> int:
    """Write the predictions for scored rows of a test set.

    Args:
        rows: With the other columns of the test set; of token level where spans are asked for.
        output: The file to write. It appears, or is replaced, only when it is complete.
        task: What is asked for.
        severities: What makes a span; needed where spans are asked for.

    Returns:
        How many segments were written.

    Raises:
        DataError: If a row lacks a column of the test set, its score, or its tokens.
        ValueError: If spans are asked for, and nothing says what makes one.
        OutputError: If nothing can be written.
    """
    read = tuple(rows)
    if not read:
        raise DataError("There are no scored segments to write.")
    for row in read:
        if task.has_spans and not row.has_tokens:
            raise DataError(
                f"Line {row.line} has no tokens, which error spans are made of; score the test set "
                "with `headwise score --level token`."
            )
    if task.has_spans and severities is None:
        raise ValueError(f"`severities` must say what an error span is for {task}.")
    with naming_output(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(output) as temporary:
            if severities is None or not task.has_spans:
                _write_table(temporary, ("overall",), map(_score_cells, read))
            elif task is SharedTask.WMT25_SPANS:
                cells = (_span_cells(row, severities) for row in read)
                _write_table(temporary, (*_TEXTS, *_FOUND), cells)
            else:
                with temporary.open("wb") as lines:
                    lines.writelines(map(json_line, _items(read, severities)))
    return len(read)


def _write_table(path: Path, found: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, delimiter="\t", quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
        table.writerow((*_NAMES, *found))
        table.writerows(rows)


def _score_cells(row: ScoredRow) -> list[str]:
    return [*(_column(row, name) for name in _NAMES), f"{score_of(row):.4f}"]


def _span_cells(row: ScoredRow, severities: Severities) -> list[str]:
    scored = row.scored
    texts = [scored.source or "", scored.hypothesis, str((scored.extra or {}).get(_TEXTS[-1], ""))]
    spans = severities.spans(scored)
    starts, ends, kinds = zip(*spans, strict=True) if spans else ((-1,), (-1,), ("no-error",))
    found = (" ".join(map(str, values)) for values in (starts, ends, kinds))
    return [*(_column(row, name) for name in _NAMES), *texts, *found]


def _items(rows: Sequence[ScoredRow], severities: Severities) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        name, system = _column(row, ITEM), _column(row, "system")
        item = found.setdefault(
            name, {ITEM: name, "task1_pred": {}, "task2_pred": {}, "task3_pred": {}}
        )
        if system in item["task2_pred"]:
            raise DataError(f"Line {row.line} is the second one of {system} for `{name}`.")
        spans = severities.spans(row.scored)
        item["task1_pred"][system] = {
            "errors": [{"start": a, "end": b, "severity": kind} for a, b, kind in spans],
            "omission": None,
            "instruction_fault": None,
        }
        item["task2_pred"][system] = score_of(row)
        item["task3_pred"][system] = int(not row.scored.flagged and not spans)
    return list(found.values())


def score_of(row: ScoredRow) -> float:
    """The score of a segment from 0 to 100: the probability of the text, or its main signal.

    Raises:
        DataError: If it has none.
    """
    value = row.scored.quality
    if value is None:
        signal = row.scored.signals[0]
        value = signal.confidence(row.means[signal])
    if value is None:
        raise DataError(f"Line {row.line} has no score: its text has no tokens.")
    return round(100.0 * value, 4)


def _column(row: ScoredRow, name: str) -> str:
    extra = row.scored.extra or {}
    if name not in extra:
        raise DataError(
            f"Line {row.line} has no `{name}`, a column of the task's test set; score that file, "
            "whose other columns come along."
        )
    return str(extra[name])
