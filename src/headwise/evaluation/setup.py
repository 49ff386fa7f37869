"""How a protocol is run, and what its report says about the run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headwise.data.aggregation import Aggregation
from headwise.evaluation.columns import DEFAULT_AGGREGATIONS, Unit
from headwise.evaluation.resampling import Resampling


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What all protocols need beside the texts.

    Attributes:
        gold_name: What the gold is, or who gave it, for a reader.
        units: What is right or wrong in a text; by default what the gold marks.
        aggregations: How token values become one.
        resampling: Settings of intervals and tests.
        settings: What else the report should say about the run, in order.
        notes: What a reader has to know.
    """

    gold_name: str
    units: tuple[Unit, ...] = ()
    aggregations: Sequence[Aggregation | str] = DEFAULT_AGGREGATIONS
    resampling: Resampling = Resampling()
    settings: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
