"""Predict a file row by row, so that a job killed at any moment goes on where it stopped."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from headwise.data.jobs import JobDone, run_job
from headwise.data.readers.inferences import InferenceLayout, read_inferences
from headwise.data.records.inferences import InferencePair
from headwise.data.writers import CellKind, TableColumns, beside_reserved
from headwise.entailment.model import EntailmentModel
from headwise.entailment.predicting import WINDOW
from headwise.entailment.rows import prediction_row
from headwise.errors import InputError
from headwise.heads import NLI_LABELS

_LABELS = tuple(label.value for label in NLI_LABELS)
_KINDS = {
    **dict.fromkeys(("premise", "hypothesis", "label"), "string"),
    **dict.fromkeys(("confidence", *_LABELS), "double"),
    "abstain": "bool",
    "uncertainty": "double",
}
# The last two have a shape of their own in every table
_RESERVED = frozenset({*_KINDS, "gold", "probabilities", "annotations", "word_tags"})


class PredictionColumns:
    """The columns of a table of predictions; each class has one for its probability."""

    @property
    def kinds(self) -> Mapping[str, CellKind]:
        """Texts, label, numbers."""
        return _KINDS

    def flatten(self, line: bytes) -> dict[str, Any]:
        """A line as a row; the probabilities have no column around them."""
        row: dict[str, Any] = json.loads(line)
        probabilities: dict[str, float] = row.pop("probabilities")
        return row | probabilities


@dataclass(slots=True, kw_only=True)
class RowPrediction:
    """Predicts the rows of a file, as :class:`~headwise.data.jobs.RowWork`.

    Attributes:
        labels: How often each label was predicted.
        abstained: Rows on which the model abstains.
    """

    model: EntailmentModel
    labels: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_LABELS, 0))
    abstained: int = 0

    @property
    def most_rows(self) -> int:
        """Enough to find many of similar length."""
        return WINDOW

    def output_rows(self, rows: Sequence[InferencePair]) -> Iterator[dict[str, Any] | InputError]:
        """The texts and the predictions, behind the other columns of the rows.

        What annotators said is called ``gold``. Another column of the input that has the name of
        one that is written here keeps its values under ``input_<name>``.
        """
        results = self.model.predict_window([row.texts for row in rows])
        for row, result in zip(rows, results, strict=True):
            if isinstance(result, InputError):
                yield result
                continue
            yield {
                **beside_reserved(row.extra, _RESERVED),
                **({} if row.label is None else {"gold": row.label.value}),
                "premise": row.premise,
                "hypothesis": row.hypothesis,
                **prediction_row(result),
            }

    def count(self, output_row: Mapping[str, Any]) -> None:
        """Count the label, and whether the model stands by it."""
        self.labels[output_row["label"]] += 1
        self.abstained += bool(output_row["abstain"])

    def content_of(self, output_row: Mapping[str, Any]) -> str:
        """Premise and hypothesis."""
        return InferencePair(output_row["premise"], output_row["hypothesis"]).content

    def figures(self) -> dict[str, Any]:
        """The counts."""
        return {"labels": self.labels, "abstained": self.abstained}

    def columns(self) -> TableColumns:
        """The same for every job."""
        return PredictionColumns()


def predict_file(
    predictor: EntailmentModel,
    source: str | Path,
    output: str | Path,
    *,
    model: str,
    heads: str | None = None,
    threshold: float | None = None,
    layout: InferenceLayout | None = None,
    output_format: str | None = None,
    overwrite: bool = False,
    progress: bool = False,
) -> JobDone:
    """Predict the rows of a file, or go on doing so where an earlier run was stopped.

    Args:
        predictor: Predicts pairs.
        source: The file to read; ``-`` for standard input.
        output: The file to write; :class:`~headwise.data.jobs.RunFiles` says which files there are
            beside it. ``-`` writes JSONL to standard output and rejects to standard error, and
            cannot be resumed.
        model: Name of the model; a job is resumed only with the same one, and only if what the
            predictor computes with is the same, see :meth:`EntailmentModel.content`.
        heads: Name of the heads, likewise.
        threshold: Uncertainty from which on the model abstains, likewise; that of the predictor.
        layout: Format and columns of the input, as far as they should not be found out.
        output_format: ``jsonl``, ``tsv``, ``csv``, ``parquet`` or ``xlsx``; by default the suffix
            says it.
        overwrite: Start anew and replace what is there, instead of resuming.
        progress: Whether to show a progress bar on standard error.

    Returns:
        What was done; its figures are ``labels``, how often each was predicted, and ``abstained``.

    Raises:
        DataError: If the input cannot be read.
        OutputError: If the output belongs to another job, or cannot be written.
    """
    layout = layout or InferenceLayout()
    # A model without heads says so here, before a file is written
    predictor.predict_window(())
    read = partial(read_inferences, source, layout, labelled=False)
    return run_job(
        RowPrediction(model=predictor),
        read(),
        output,
        inputs=[source],
        settings=lambda: {
            **asdict(layout),
            "model": model,
            "heads": heads,
            "threshold": None,
            **predictor.content(),
            **({} if threshold is None else {"threshold": threshold}),
        },
        output_format=output_format,
        overwrite=overwrite,
        progress="Predicting" if progress else None,
        reread=read,
    )
