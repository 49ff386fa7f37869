"""Rows to evaluate: scored already, or scored now with all signals in one pass."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from headwise.data.readers import Layout, read_mlqe_pe, read_pairs, read_parallel_text
from headwise.data.readers.scored import ScoredRow, is_scored, read_scored_rows
from headwise.data.records.pairs import Pair, Reject
from headwise.data.records.signals import Signal
from headwise.errors import DataError, InputError
from headwise.evaluation.quality.judged_texts import as_row
from headwise.quality import QualityEstimator


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where texts come from.

    Attributes:
        path: A scored file, or pairs in any format that is read.
        hypotheses: A text file with a hypothesis for each line of ``path``.
        layout: Columns and format of pairs.
        tags: A file of word tags, one line a text.
        tokenised: The hypotheses cut into the words that the tags count.

    Raises:
        ValueError: If there is a ``tokenised`` without ``tags``.
    """

    path: str
    hypotheses: str | None = None
    layout: Layout = Layout()
    tags: str | None = None
    tokenised: str | None = None

    def __post_init__(self) -> None:
        if self.tokenised is not None and self.tags is None:
            raise ValueError("`tokenised` holds the words that `tags` count; give `tags`, too.")

    @property
    def is_scored(self) -> bool:
        """Whether the texts have been scored before.

        Raises:
            DataError: If the file is damaged, or is scored and other files are given with it.
        """
        if self.path == "-" or not Path(self.path).is_file() or not is_scored(self.path):
            return False
        if self.hypotheses is not None or self.tags is not None:
            raise DataError(
                f"`{self.path}` is scored already and has texts and marks of its own; give it "
                "alone, or the texts that were scored."
            )
        return True

    def rows(self) -> Iterator[Pair | Reject]:
        """The pairs, as they are read.

        Raises:
            DataError: If a file is missing, damaged, or does not go with another.
        """
        if self.tags is not None:
            both = {"sources": self.path, "translations": self.hypotheses}
            return read_mlqe_pe(
                **(both if self.hypotheses is not None else {"da": self.path}),
                tags=self.tags,
                tokenised=self.tokenised,
                encoding=self.layout.encoding,
            )
        if self.hypotheses is not None:
            return read_parallel_text(self.path, self.hypotheses, encoding=self.layout.encoding)
        return read_pairs(self.path, self.layout)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedRows:
    """Scored rows, in the order of the input, and those that could not be read or scored.

    ``numbers`` counts rows among all rows of the input, from 0.
    """

    rows: tuple[ScoredRow, ...]
    rejects: tuple[Reject, ...]
    numbers: tuple[int, ...]
    total: int

    def of_rows(self, values: Sequence[float | None], *, name: str) -> list[float | None]:
        """Values of all rows of the input, for the rows that could be scored.

        Raises:
            DataError: If they are not one a row.
        """
        if len(values) != self.total:
            raise DataError(
                f"`{name}` has {len(values):,} rows, the input has {self.total:,}; both must have "
                "the same rows in the same order."
            )
        return [values[number] for number in self.numbers]


def read_evaluated_rows(
    path: str | Path, *, signals: Sequence[Signal] | None = None
) -> EvaluatedRows:
    """Read rows that were scored before, with all their signals or those that are named.

    Raises:
        DataError: If the file is damaged, or a row lacks a signal.
    """
    rows = tuple(_with_signals(row, signals, path) for row in read_scored_rows(path))
    return EvaluatedRows(rows=rows, rejects=(), numbers=tuple(range(len(rows))), total=len(rows))


def _with_signals(row: ScoredRow, wanted: Sequence[Signal] | None, path: str | Path) -> ScoredRow:
    """The row with no other signals than those, all of which each of its tokens must have."""
    signals = row.scored.signals if wanted is None else tuple(wanted)
    for signal in signals:
        if signal not in row.means:
            raise DataError(
                f"Line {row.line} of `{path}` was not scored with {signal}; it has "
                f"{', '.join(row.means)}."
            )
        # Of the gap after the last token nothing may be known
        tokens = row.scored.tokens[:-1] if signal is Signal.OMISSION else row.scored.tokens
        values = (getattr(token, signal) for token in tokens)
        if not all(value is not None and math.isfinite(value) for value in values):
            raise DataError(
                f"In line {row.line} of `{path}` a token has no finite {signal}; score it anew."
            )
    if wanted is None:
        return row
    return replace(
        row,
        scored=replace(row.scored, signals=signals),
        means={signal: row.means[signal] for signal in signals},
    )


def score_rows(
    rows: Iterable[Pair | Reject],
    estimator: Callable[[], QualityEstimator],
    *,
    signals: Sequence[Signal] | None = None,
    progress: bool = False,
) -> EvaluatedRows:
    """Score rows with all signals in one pass of the model.

    It is loaded when the rows have been read, so that what is wrong with them is said first.

    Raises:
        DataError: If the model cannot give a signal.
    """
    everything = list(rows)
    places = [index for index, row in enumerate(everything) if isinstance(row, Pair)]
    pairs = [row for row in everything if isinstance(row, Pair)]
    rejects = [row for row in everything if isinstance(row, Reject)]
    scored: list[ScoredRow] = []
    numbers: list[int] = []
    if pairs:
        loaded = estimator()
        wanted = chosen_signals(loaded, signals)
        scorer = loaded.scorer(wanted).asking(ranks=True)
        results = scorer.score_many(pairs, raising=False, progress=progress)
        for place, pair, result in zip(places, pairs, results, strict=True):
            if isinstance(result, InputError):
                rejects.append(Reject(pair.line, str(result), pair.hypothesis))
            else:
                scored.append(as_row(result, pair.line))
                numbers.append(place)
    return EvaluatedRows(
        rows=tuple(scored),
        rejects=tuple(sorted(rejects, key=lambda reject: reject.line)),
        numbers=tuple(numbers),
        total=len(everything),
    )


def chosen_signals(
    estimator: QualityEstimator, wanted: Sequence[Signal] | None
) -> tuple[Signal, ...]:
    """The signals that are wanted; all that a model with its head can give if none are named.

    Raises:
        DataError: If the model cannot give one.
    """
    heads, calibration = estimator.heads, estimator.calibration
    possible = tuple(signal for signal in Signal if heads.can_give(signal, calibration))
    lacking = [signal for signal in wanted or () if signal not in possible]
    if lacking:
        needs = {
            Signal.QUALITY: "a calibrated head",
            Signal.ERROR: "an error head",
            Signal.OMISSION: "an error head",
        }.get(lacking[0], "a head")
        raise DataError(
            f"The signal {lacking[0]} needs {needs}, which this model does not have; give one, or "
            f"choose from {', '.join(possible)}."
        )
    return possible if wanted is None else tuple(wanted)
