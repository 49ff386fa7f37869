"""Rows to evaluate: scored already, or scored now with all signals in one pass."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from headwise.data.pairs import Pair, Reject
from headwise.data.readers import Layout, read_mlqe_pe, read_pairs, read_parallel_text
from headwise.data.readers.scored import ScoredRow, is_scored, read_scored_rows
from headwise.data.signals import Signal
from headwise.errors import DataError, InputError
from headwise.evaluation.judging import as_row
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
    """

    path: str
    hypotheses: str | None = None
    layout: Layout = Layout()
    tags: str | None = None
    tokenised: str | None = None

    @property
    def is_scored(self) -> bool:
        """Whether the texts have been scored before.

        Raises:
            DataError: If the file is missing or damaged.
        """
        if self.hypotheses is not None or self.tags is not None or self.path == "-":
            return False
        return Path(self.path).is_file() and is_scored(self.path)

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
            )
        if self.hypotheses is not None:
            return read_parallel_text(self.path, self.hypotheses)
        return read_pairs(self.path, self.layout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Scored rows, and those that could not be read or scored.

    Attributes:
        rows: In the order of the input.
        rejects: Rows that are not among them.
        numbers: For each row its number among all rows of the input, counted from 0.
        total: How many rows the input has.
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


def gather_scored(path: str | Path) -> Gathered:
    """Read rows that were scored before.

    Raises:
        DataError: If the file is damaged or empty.
    """
    rows = tuple(read_scored_rows(path))
    return Gathered(rows=rows, rejects=(), numbers=tuple(range(len(rows))), total=len(rows))


def gather_pairs(rows: Iterable[Pair | Reject]) -> tuple[list[Pair], list[Reject]]:
    """Read all pairs, and rows that are none."""
    pairs: list[Pair] = []
    rejects: list[Reject] = []
    for row in rows:
        if isinstance(row, Reject):
            rejects.append(row)
        else:
            pairs.append(row)
    return pairs, rejects


def score_rows_once(
    rows: Iterable[Pair | Reject],
    estimator: Callable[[], QualityEstimator],
    *,
    signals: Sequence[Signal] | None = None,
    progress: bool = False,
) -> Gathered:
    """Score rows with all signals in one pass of the model.

    Args:
        rows: What was read.
        estimator: Loads the model; called when the rows have been read, so that what is wrong
            with them is said first.
        signals: What to compute; by default all that the model has.
        progress: Whether to show a progress bar on standard error.
    """
    everything = list(rows)
    places = [index for index, row in enumerate(everything) if isinstance(row, Pair)]
    pairs = [row for row in everything if isinstance(row, Pair)]
    rejects = [row for row in everything if isinstance(row, Reject)]
    scored: list[ScoredRow] = []
    numbers: list[int] = []
    if pairs:
        loaded = estimator()
        wanted = all_signals(loaded) if signals is None else signals
        results = loaded.score_many(pairs, signals=wanted, errors="yield", progress=progress)
        for place, pair, result in zip(places, pairs, results, strict=True):
            if isinstance(result, InputError):
                rejects.append(Reject(pair.line, str(result), pair.hypothesis))
            else:
                scored.append(as_row(result, pair.line))
                numbers.append(place)
    return Gathered(
        rows=tuple(scored),
        rejects=tuple(sorted(rejects, key=lambda reject: reject.line)),
        numbers=tuple(numbers),
        total=len(everything),
    )


def all_signals(estimator: QualityEstimator) -> tuple[Signal, ...]:
    """Every signal that a model with its head can give, the head's first."""
    lacking = set()
    if estimator.head is None:
        lacking.add(Signal.SIGMOID)
    if estimator.calibration is None:
        lacking.add(Signal.QUALITY)
    return tuple(signal for signal in Signal if signal not in lacking)
