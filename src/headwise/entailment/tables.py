"""Predict and embed batches of a table, wherever an engine carries the work."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from headwise.backbones import EncodedText
from headwise.backbones.encoders.sentence_embedding import TextRole
from headwise.data.jobs.table_work import ReadBatch, TableWork
from headwise.data.jobs.work import Row
from headwise.data.readers import Layout
from headwise.data.readers.inferences import (
    InferenceLayout,
    inference_columns,
    inferences_of,
    open_inferences,
)
from headwise.data.readers.pairs import open_pairs, pairs_of
from headwise.data.readers.rows import RowStream
from headwise.data.records.inferences import InferencePair
from headwise.data.records.pairs import Pair
from headwise.data.writers import json_line
from headwise.data.writers.arrow_columns import fields_of
from headwise.entailment.model import EntailmentModel
from headwise.entailment.prediction_job import PredictionColumns
from headwise.entailment.rows import prediction_row
from headwise.errors import InputError
from headwise.heads import NLI_LABELS

if TYPE_CHECKING:
    import pyarrow


@dataclass(kw_only=True)
class EncoderTables(TableWork[Row]):
    """What the work of an encoder on batches has in common.

    Attributes:
        model: As `EntailmentModel.from_pretrained` takes it; so are ``heads`` and ``threshold``,
            and what ``loading`` holds.
    """

    model: str = "minilm-snli"
    heads: str | None = None
    threshold: float | None = None

    @cached_property
    def encoder(self) -> EntailmentModel:
        """The encoder and its heads, loaded when they are first used."""
        return EntailmentModel.from_pretrained(
            self.model, self.heads, threshold=self.threshold, **self.loading
        )

    def load(self) -> Self:
        """Load them, if that is not done.

        Raises:
            HeadwiseError: As of `EntailmentModel.from_pretrained`.
        """
        assert self.encoder
        return self


@dataclass(kw_only=True)
class PredictTables(EncoderTables[InferencePair]):
    """Says what the hypotheses of a batch are to their premises: what ``headwise nli`` writes.

    Columns are found as in a Parquet file. A column of labels stays as it is.

    Attributes:
        layout: Which columns hold the texts, as far as that should not be found out.
    """

    layout: InferenceLayout = InferenceLayout()

    def open(self, path: str | Path) -> AbstractContextManager[RowStream]:
        """Open a table of premises and hypotheses.

        Raises:
            DataError: If it is missing or damaged.
        """
        return open_inferences(path, self.layout, labelled=False)

    def content(self) -> dict[str, Any]:
        """Settings of rows, and what predictions follow from."""
        return {**asdict(self.layout), **self.encoder.content()}

    def read(self, table: RowStream) -> ReadBatch:
        """Make pairs of rows, as of a Parquet file.

        Raises:
            DataError: If there are no columns of texts.
        """
        texts = inference_columns(table, self.layout)
        return ReadBatch(rows=inferences_of(table, self.layout, labelled=False), texts=texts)

    def results(self, rows: Sequence[InferencePair]) -> Iterator[dict[str, Any] | InputError]:
        """Texts and predictions as the rows of a table."""
        columns = PredictionColumns()
        results = self.encoder.predict_window([row.texts for row in rows])
        for row, result in zip(rows, results, strict=True):
            if isinstance(result, InputError):
                yield result
            else:
                texts = {"premise": row.premise, "hypothesis": row.hypothesis}
                yield columns.flatten(json_line({**texts, **prediction_row(result)}))

    def fields(self) -> "list[pyarrow.Field]":
        """Those of a Parquet file of predictions."""
        return fields_of(PredictionColumns().kinds)

    @property
    def counted(self) -> tuple[str, ...]:
        """Label and abstention."""
        return "label", "abstain"

    def figures(self, tables: "Iterable[pyarrow.RecordBatch]") -> dict[str, Any]:
        """How often each label was predicted, and on how many rows the model abstains."""
        labels, abstained = dict.fromkeys((label.value for label in NLI_LABELS), 0), 0
        for table in tables:
            for label, abstains in zip(table["label"], table["abstain"], strict=True):
                if label.is_valid:
                    labels[label.as_py()] += 1
                    abstained += abstains.as_py()
        return {"labels": labels, "abstained": abstained}


@dataclass(kw_only=True)
class EmbedTables(EncoderTables[Pair]):
    """Embeds a text of each row of a batch, as ``headwise embed`` does.

    All columns of the input stay; ``embedding`` is a list of D numbers, float32.

    Attributes:
        column: The column with the texts.
        role: Whose prompt goes before each text, as of `EntailmentModel.embed`.
        written: How files of text are written.
    """

    column: str = "text"
    role: TextRole = "text"
    written: Layout = Layout()

    def open(self, path: str | Path) -> AbstractContextManager[RowStream]:
        """Open a table with that column.

        Raises:
            DataError: If it is missing or damaged.
        """
        return open_pairs(path, self._layout)

    @property
    def _layout(self) -> Layout:
        return replace(self.written, hypothesis_column=self.column, has_source=False)

    def content(self) -> dict[str, Any]:
        """Settings of rows, and what embeddings follow from."""
        return {"column": self.column, "role": self.role, **self.encoder.content()}

    def read(self, table: RowStream) -> ReadBatch:
        """Make a text of each row.

        Raises:
            DataError: If there is no such column.
        """
        return ReadBatch(rows=pairs_of(table, self._layout))

    def results(self, rows: Sequence[Pair]) -> Iterator[dict[str, Any] | InputError]:
        """The vectors of the texts."""
        encoder = self.encoder
        codes = encoder.backbone.encode(
            [row.hypothesis for row in rows], what="text", role=self.role
        )
        good = [code for code in codes if isinstance(code, EncodedText)]
        vectors = iter(encoder.encoder.embed(good))
        for code in codes:
            if isinstance(code, EncodedText):
                yield {"embedding": next(vectors).numpy()}
            else:
                yield code

    def fields(self) -> "list[pyarrow.Field]":
        """The embedding."""
        import pyarrow

        size = self.encoder.embed([]).shape[1]
        return [pyarrow.field("embedding", pyarrow.list_(pyarrow.float32(), size))]
