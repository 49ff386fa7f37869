"""The record that every metric is reported as."""

import math
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One measured number and what is needed to trust it.

    Attributes:
        name: The metric, in the field's term, such as ``pearson`` or ``roc_auc``.
        value: The number; ``None`` where it is undefined, never a made-up number.
        count: How many items it was computed from.
        higher_is_better: Which way it points.
        low: Lower end of its confidence interval; ``None`` if there is none.
        interval: How the interval was found, for a reader; ``None`` if there is none.
        reason: Why the value is undefined; ``None`` if it is not.
        high: Upper end of its confidence interval; ``None`` if there is none.
    """

    name: str
    value: float | None
    count: int
    higher_is_better: bool = True
    low: float | None = None
    high: float | None = None
    interval: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) != (self.reason is not None):
            raise ValueError(f"`{self.name}` needs a value, or a reason why it has none.")
        if self.value is not None and math.isnan(self.value):
            raise ValueError(f"`{self.name}` is not a number; give `None` and a reason.")

    def within(self, low: float, high: float, *, interval: str) -> "Metric":
        """The same metric with its confidence interval.

        Args:
            low: Its lower end.
            high: Its upper end.
            interval: How it was found, for a reader.
        """
        return replace(self, low=low, high=high, interval=interval)

    def as_dict(self) -> dict[str, Any]:
        """The metric for JSON, without what is not known."""
        fields = {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "count": self.count,
            "higher_is_better": self.higher_is_better,
            "interval": self.interval,
            "reason": self.reason,
        }
        return {name: value for name, value in fields.items() if value is not None}


NO_ITEMS = "There are no items."


def undefined(name: str, reason: str, *, count: int, higher_is_better: bool = True) -> Metric:
    """A metric that has no value, and why.

    Args:
        name: The metric, in the field's term.
        reason: Why there is no number, for a reader.
        count: How many items there were.
        higher_is_better: Which way it points.
    """
    return Metric(
        name=name, value=None, count=count, higher_is_better=higher_is_better, reason=reason
    )
