"""Score batches of a table, wherever an engine carries the work."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from headwise.backbones import PromptTemplate
from headwise.data.jobs.table_work import ReadBatch, TableWork
from headwise.data.readers import Layout
from headwise.data.readers.corpora.mqm import is_mqm_header
from headwise.data.readers.corpora.mqm_spans import is_span_header
from headwise.data.readers.nested_rows import text_columns
from headwise.data.readers.pairs import document_format, open_pairs, pairs_of
from headwise.data.readers.rows import RowStream
from headwise.data.records.pairs import Pair, Reject
from headwise.data.records.scored import Level
from headwise.data.records.signals import parse_signals
from headwise.data.writers import TableLayout, json_line
from headwise.data.writers.arrow_columns import fields_of
from headwise.errors import DataError, InputError
from headwise.quality.estimator import QualityEstimator
from headwise.quality.scorer import Scorer
from headwise.quality.unlike_texts import UnlikeTexts

if TYPE_CHECKING:
    import pyarrow


# Of a file, to see whether it is in a language that the heads know
_FIRST_ROWS = 1000


@dataclass(kw_only=True)
class ScoreTables(TableWork[Pair]):
    """Scores the pairs of a batch, in batches of tokens: what ``headwise score`` writes of a row.

    Columns are found as in a Parquet file; those of source and hypothesis become ``source`` and
    ``hypothesis``. Behind them are the score, other signals, what to check, and words or tokens.
    A row with several texts, as a conversation with several turns of the assistant, has an error.

    Attributes:
        model: As `QualityEstimator.from_pretrained` takes it; so are the next four, and what
            ``loading`` holds, ``device_map`` among it.
        signals: The signals to compute; the first one is the score. By default the estimator's.
        alternatives: How many of the model's own choices a token has, at the level ``token``.
        level: What a row of output holds beside its sentence score.
        threshold: Words of a lower confidence are to be checked; by default what is calibrated.
        segment_threshold: Texts with a lower probability of no error are flagged, likewise.
        layout: Which columns hold the texts, as far as that should not be found out.
    """

    model: str = "tiny-en-de"
    head: str | None = None
    prompt: str | dict[str, Any] | PromptTemplate | None = None
    prompt_variables: dict[str, str] | None = None
    prompt_columns: dict[str, str] | None = None
    signals: Sequence[str] | None = None
    alternatives: int = 0
    level: Level = "sentence"
    threshold: float | None = None
    segment_threshold: float | None = None
    layout: Layout = Layout()

    def open(self, path: str | Path) -> AbstractContextManager[RowStream]:
        """Open a table of pairs.

        Raises:
            DataError: If it is missing or damaged, or a document of translators.
        """
        if document_format(path, self.layout) is not None:
            raise DataError(
                f"`{path}` is a document of translators, which becomes a copy of itself with "
                "scores; score it by one process, without --ray."
            )
        return open_pairs(path, self.layout)

    def load(self) -> Self:
        """Load the model and its heads, if that is not done.

        Raises:
            HeadwiseError: As of `QualityEstimator.from_pretrained`.
        """
        assert self.scorer
        return self

    @cached_property
    def scorer(self) -> Scorer:
        """What scores."""
        estimator = QualityEstimator.from_pretrained(
            self.model,
            self.head,
            prompt=self.prompt,
            prompt_variables=self.prompt_variables,
            prompt_columns=self.prompt_columns,
            **self.loading,
        )
        estimator.threshold = self.threshold
        estimator.segment_threshold = self.segment_threshold
        signals = None if self.signals is None else parse_signals(self.signals)
        return estimator.scorer(signals, self.alternatives)

    def content(self) -> dict[str, Any]:
        """Settings of rows, and what scores follow from: weights, prompt, calibration."""
        request = self.scorer.request
        return {
            **asdict(self.layout),
            "level": self.level,
            "signals": list(request.signals),
            "alternatives": self.alternatives,
            "threshold": request.threshold,
            "segment_threshold": request.segment_threshold,
            **self.scorer.content(),
        }

    def remark(self, path: Path) -> str | None:
        """A warning if the file's first rows are in another language than the heads know.

        Args:
            path: A file of pairs that a job reads.
        """
        seen = UnlikeTexts(self.scorer.calibration)
        with self.open(path) as table:
            for row in islice(self.read(table).rows, _FIRST_ROWS):
                if not isinstance(row, Reject):
                    seen.add(row.source, row.hypothesis)
        return seen.warning

    def read(self, table: RowStream) -> ReadBatch:
        """Make pairs of rows, as of a Parquet file.

        Raises:
            DataError: If there are no columns of texts, or the rows are marks of raters.
        """
        names = table.columns or ()
        if not self.layout.names_columns and (is_mqm_header(names) or is_span_header(names)):
            raise DataError(
                "The rows are marks of raters, several of which belong to one text; write its "
                "texts and marks into one row first (`headwise score` without --ray does)."
            )
        texts = text_columns(table, self.layout)
        return ReadBatch(rows=pairs_of(table, self.layout), texts=texts)

    def results(self, rows: Sequence[Pair]) -> Iterator[dict[str, Any] | InputError]:
        """Scored pairs as the rows of a table."""
        columns = self._columns
        for result in self.scorer.score_window(rows):
            if isinstance(result, InputError):
                yield result
            else:
                row = replace(result, extra=None).as_dict(self.level)
                yield columns.flatten(json_line(row))

    def fields(self) -> "list[pyarrow.Field]":
        """Those of a Parquet file of scores."""
        return fields_of(self._columns.kinds)

    @property
    def counted(self) -> tuple[str, ...]:
        """Score, and whether a person should look."""
        return "score", "flagged"

    def figures(self, tables: "Iterable[pyarrow.RecordBatch]") -> dict[str, Any]:
        """The mean of the scores, ``None`` if there are none, and rows that are flagged."""
        total, with_score, flagged = 0.0, 0, 0
        for table in tables:
            scores = [score for score in table["score"].to_pylist() if score is not None]
            total, with_score = total + sum(scores), with_score + len(scores)
            flagged += sum(filter(None, table["flagged"].to_pylist()))
        return {"mean_score": total / with_score if with_score else None, "flagged": flagged}

    @property
    def _columns(self) -> TableLayout:
        return TableLayout(
            signals=self.scorer.request.signals,
            level=self.level,
            has_source=self.layout.has_source,
            alternatives=self.alternatives > 0,
        )
