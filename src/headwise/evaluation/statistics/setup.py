"""How certain a table is: the settings of its intervals and tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from headwise.choices import Unit
from headwise.data.records.signals import Aggregation, Signal
from headwise.evaluation.statistics.columns import DEFAULT_AGGREGATIONS, SignalColumn


class SignificanceTest(StrEnum):
    """How signals are compared.

    Attributes:
        BOOTSTRAP: Paired bootstrap over groups of texts.
        PERMUTATION: Paired permutation of two signals within groups of texts.
    """

    BOOTSTRAP = "bootstrap"
    PERMUTATION = "permutation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """Settings of intervals and tests.

    Attributes:
        resamples: Number of bootstrap resamples, and of permutations.
        test: How signals are compared.
        level: Level of the tests; intervals cover ``1 - level``.
        workers: Threads; as many as there are cores by default.
        seed: Of all resamples.
    """

    resamples: int = 1000
    test: SignificanceTest = SignificanceTest.BOOTSTRAP
    level: float = 0.05
    seed: int = 0
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.resamples < 1:
            raise ValueError(f"`resamples` must be at least 1, got {self.resamples}.")
        if not 0 < self.level < 1:
            raise ValueError(f"`level` must lie between 0 and 1, got {self.level}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What all protocols need beside the texts.

    Attributes:
        gold_name: What the gold is, or who gave it, for a reader.
        units: What is right or wrong in a text; by default what the gold marks.
        main: The signal whose disagreements are shown; by default the best of those there are.
        threshold: Decisions flag what has a lower confidence; by default each signal's threshold
            is chosen on other texts.
        below: The gold that worse outputs are below, where references are compared with them.
        rank_references: Whether people's translations are ranked as systems.
        by: Column whose values slice the texts; ``None`` for no slices.
        settings: What else the report should say about the run, in order.
    """

    gold_name: str
    units: tuple[Unit, ...] = ()
    aggregations: Sequence[Aggregation | str] = DEFAULT_AGGREGATIONS
    resampling: Resampling = Resampling()
    main: Signal | None = None
    threshold: float | None = None
    below: float | None = None
    rank_references: bool = False
    by: str | None = None
    settings: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def main_column(self, columns: Sequence[SignalColumn]) -> SignalColumn:
        """The column of the main signal: the one that was named, or the best kind there is."""
        ranked = (Signal.QUALITY, Signal.ERROR, Signal.SIGMOID, Signal.SOFTMAX)
        for signal in ranked if self.main is None else (self.main,):
            for column in columns:
                if column.signal.removeprefix("-") == signal.value:
                    return column
        return columns[0]
