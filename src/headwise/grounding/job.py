"""Ground a file of answers row by row, so that a job killed at any moment goes on."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from headwise.data.jobs import JobDone, run_job
from headwise.data.readers import read_pairs
from headwise.data.readers.layout import GroundedLayout
from headwise.data.records.pairs import Pair
from headwise.data.writers import CellKind, TableColumns, beside_reserved
from headwise.errors import InputError
from headwise.grounding.detector import GroundingDetector
from headwise.grounding.records import GroundedAnswer

_PLACE: Mapping[str, str] = {"text": "string", "start": "int64", "end": "int64"}
_KINDS: Mapping[str, CellKind] = {
    "context": "string",
    "answer": "string",
    "supported": "bool",
    "spans": {**_PLACE, "probability": "double", "found_by": "string"},
    "quantities": {**_PLACE, "kind": "string"},
}
_SENTENCES: CellKind = {**_PLACE, "probability": "double", "verdict": "string"}
_RESERVED = frozenset({*_KINDS, "sentences", "annotations", "word_tags"})


@dataclass(frozen=True, slots=True)
class GroundedColumns:
    """The columns of a table of grounded answers; what found a span is one text."""

    has_sentences: bool

    @property
    def kinds(self) -> Mapping[str, CellKind]:
        """Texts, verdict, spans, quantities, and sentences if an entailment model was asked."""
        return {**_KINDS, **({"sentences": _SENTENCES} if self.has_sentences else {})}

    def flatten(self, line: bytes) -> dict[str, Any]:
        """A line as a row; the passages of sentences are left out."""
        row: dict[str, Any] = json.loads(line)
        for span in row["spans"]:
            span["found_by"] = ", ".join(span["found_by"])
        for sentence in row.get("sentences", ()):
            del sentence["passage"]
        return row


@dataclass(slots=True, kw_only=True)
class RowGrounding:
    """Grounds the answers of the rows of a file, as :class:`~headwise.data.jobs.RowWork`.

    Attributes:
        show: Is given every answer of this run.
        unsupported: Rows in the output with something unsupported.
    """

    detector: GroundingDetector
    show: Callable[[GroundedAnswer], object] | None = None
    unsupported: int = 0

    @property
    def most_rows(self) -> int:
        """As many as the scorer wants; few where sentences are asked about one by one."""
        scorer = self.detector.scorer
        return 32 if scorer is None or self.detector.entailment is not None else scorer.most_pairs

    def output_rows(self, rows: Sequence[Pair]) -> Iterator[dict[str, Any] | InputError]:
        """The texts and what was found, behind the other columns of the rows."""
        for result in self.detector.ground_window(rows):
            if isinstance(result, InputError):
                yield result
                continue
            if self.show is not None:
                self.show(result)
            yield {**beside_reserved(result.extra, _RESERVED), **result.row()}

    def revisit(self, rows: Iterator[Any]) -> int:
        """Ground what earlier runs have grounded for those who look; how many rows there are."""
        count = 0
        for row in rows:
            count += 1
            if isinstance(row, Pair) and self.show is not None:
                (result,) = self.detector.ground_window([row])
                if not isinstance(result, InputError):
                    self.show(result)
        return count

    def count(self, output_row: Mapping[str, Any]) -> None:
        """Count the rows that say what their context does not."""
        self.unsupported += not output_row["supported"]

    def content_of(self, output_row: Mapping[str, Any]) -> str:
        """Context and answer."""
        return Pair(output_row["context"], output_row["answer"]).content

    def figures(self) -> dict[str, Any]:
        """The count."""
        return {"unsupported": self.unsupported}

    def columns(self) -> TableColumns:
        """With sentences or without."""
        return GroundedColumns(self.detector.entailment is not None)


def ground_file(
    detector: GroundingDetector,
    source: str | Path,
    output: str | Path | None,
    *,
    models: Mapping[str, str | None],
    layout: GroundedLayout | None = None,
    output_format: str | None = None,
    overwrite: bool = False,
    show: Callable[[GroundedAnswer], object] | None = None,
    progress: bool = False,
) -> JobDone:
    """Ground the answers of a file, or go on doing so where an earlier run was stopped.

    Args:
        detector: Finds what is not supported.
        source: The file to read, with contexts and answers; ``-`` for standard input.
        output: The file to write; :class:`~headwise.data.jobs.RunFiles` says which files there are
            beside it. ``-`` writes JSONL to standard output and rejects to standard error, and
            cannot be resumed. With ``None``, nothing is kept.
        models: Names of the models by what they are; a job is resumed only with the same ones, and
            only if what the detector computes with is the same.
        layout: Format and columns of the input, as far as they should not be found out.
        output_format: ``jsonl``, ``tsv``, ``csv``, ``parquet`` or ``xlsx``; by default the suffix
            says it.
        overwrite: Start anew and replace what is there, instead of resuming.
        show: Is given every answer; those of earlier runs are looked at again for it.
        progress: Whether to show a progress bar on standard error.

    Returns:
        What was done; among its figures is ``unsupported``, the number of answers that say what
        their context does not.

    Raises:
        DataError: If the input cannot be read.
        OutputError: If the output belongs to another job, or cannot be written.
    """
    layout = layout or GroundedLayout()
    work = RowGrounding(detector=detector, show=show)
    read = partial(read_pairs, source, layout)
    return run_job(
        work,
        read(),
        output,
        inputs=[source],
        settings=lambda: {**asdict(layout), **models, **detector.content()},
        output_format=output_format,
        overwrite=overwrite,
        revisit=None if show is None else work.revisit,
        progress="Grounding" if progress else None,
        reread=read,
    )
