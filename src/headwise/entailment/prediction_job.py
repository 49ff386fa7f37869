"""Predict a file row by row, so that a job killed at any moment goes on where it stopped."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from headwise.data.jobs import run_job
from headwise.data.readers.inferences import InferenceLayout, read_inferences
from headwise.data.records.inferences import InferencePair
from headwise.data.records.reserved_names import beside_reserved
from headwise.data.writers import CellKind, TableColumns
from headwise.entailment.predicting import Prediction
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


class Predictor(Protocol):
    """What predicting rows needs of an entailment model."""

    def predict_many(
        self, pairs: Iterable[tuple[str, str]], *, progress: bool
    ) -> Iterator[Prediction | InputError]:
        """Predict lazily: one result a pair, in order; an error in the place of a bad pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionSummary:
    """What a job did.

    Attributes:
        predicted: Rows in the output, those of earlier runs included.
        rejected: Rows that could not be read, those of earlier runs included.
        labels: How often each label was predicted.
        abstained: Rows of the output on which the model abstains.
        resumed_from: Rows that earlier runs had done.
        seconds: How long this run took.
        already_complete: Whether there was nothing left to do.
    """

    predicted: int
    rejected: int
    labels: Mapping[str, int]
    abstained: int
    resumed_from: int
    seconds: float
    already_complete: bool = False


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
        model: Predicts pairs. It may read ahead of what it yields.
        progress: Whether it shows its progress.
        labels: How often each label was predicted.
        abstained: Rows on which the model abstains.
    """

    model: Predictor
    progress: bool
    labels: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_LABELS, 0))
    abstained: int = 0

    def results(self, rows: Iterator[InferencePair]) -> Iterator[Prediction | InputError]:
        """Predict pairs."""
        return self.model.predict_many((row.texts for row in rows), progress=self.progress)

    def output_row(self, row: InferencePair, result: Prediction) -> dict[str, Any]:
        """The texts and the prediction, behind the other columns of the row.

        What annotators said is called ``gold``. Another column of the input that has the name of
        one that is written here keeps its values under ``input_<name>``.
        """
        return {
            **beside_reserved(row.extra, _RESERVED),
            **({} if row.label is None else {"gold": row.label.value}),
            "premise": row.premise,
            "hypothesis": row.hypothesis,
            **prediction_row(result),
        }

    def content(self, row: InferencePair) -> str:
        """Premise and hypothesis."""
        return "\t".join(row.texts)

    def count(self, output_row: Mapping[str, Any]) -> None:
        """Count the label, and whether the model stands by it."""
        self.labels[output_row["label"]] += 1
        self.abstained += bool(output_row["abstain"])

    def figures(self) -> dict[str, Any]:
        """The counts."""
        return {"labels": self.labels, "abstained": self.abstained}

    def columns(self) -> TableColumns:
        """The same for every job."""
        return PredictionColumns()


def predict_file(
    predictor: Predictor,
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
) -> PredictionSummary:
    """Predict the rows of a file, or go on doing so where an earlier run was stopped.

    Args:
        predictor: Predicts pairs, in order; usually an ``EntailmentModel``.
        source: The file to read; ``-`` for standard input.
        output: The file to write; :class:`~headwise.data.jobs.RunFiles` says which files there are
            beside it. ``-`` writes JSONL to standard output and rejects to standard error, and
            cannot be resumed.
        model: Name of the model; a job is resumed only with the same one.
        heads: Name of the heads, likewise.
        threshold: Uncertainty from which on the model abstains, likewise.
        layout: Format and columns of the input, as far as they should not be found out.
        output_format: ``jsonl``, ``tsv`` or ``parquet``; by default the suffix says it.
        overwrite: Start anew and replace what is there, instead of resuming.
        progress: Whether the predictor shows its progress.

    Returns:
        What was done.

    Raises:
        DataError: If the input cannot be read.
        OutputError: If the output belongs to another job, or cannot be written.
    """
    layout = layout or InferenceLayout()
    # A model without heads says so here, before a file is written
    predictor.predict_many((), progress=False)
    done = run_job(
        RowPrediction(model=predictor, progress=progress),
        read_inferences(source, layout, labelled=False),
        output,
        inputs=[source],
        settings={**asdict(layout), "model": model, "heads": heads, "threshold": threshold},
        output_format=output_format,
        overwrite=overwrite,
    )
    return PredictionSummary(
        predicted=done.written,
        rejected=done.rejected,
        labels=done.figures["labels"],
        abstained=done.figures["abstained"],
        resumed_from=done.resumed_from,
        seconds=done.seconds,
        already_complete=done.already_complete,
    )
