"""Tables of counts and shares, in which no row is best."""

from collections.abc import Sequence

from headwise.evaluation.statistics.results import SignalRow, Table
from headwise.metrics import Metric, undefined
from headwise.metrics.inputs import Bools


def plain_table(
    name: str,
    title: str,
    rows: Sequence[SignalRow],
    *,
    rows_are: str = "signal",
    note: str = "",
) -> Table:
    """A table of counts and shares, in which no row is best."""
    return Table(
        name=name,
        title=title,
        note=note,
        rows=tuple(rows),
        unranked=frozenset(metric.name for row in rows for metric in row.metrics),
        rows_are=rows_are,
        has_verdict=False,
    )


def number(name: str, count: float, total: int) -> Metric:
    """A number that describes, found over so many items."""
    return Metric(name=name, value=float(count), count=total)


def share(name: str, count: float, total: int) -> Metric:
    """A share of so many items, which describes."""
    return Metric(name=name, value=count / total, count=total)


def counted_share(name: str, wrong: Bools, *, level: float, empty: str) -> Metric:
    """The share of items that are wrong, with its exact interval.

    Args:
        name: What it is called.
        wrong: Whether each item is, ``(n,)``.
        level: Of the interval, in (0, 1).
        empty: Why there is no value if there are no items.
    """
    count = len(wrong)
    if not count:
        return undefined(name, empty, count=0, higher_is_better=False)
    from scipy.stats import binomtest  # half a second, which other tables do not pay

    found = int(wrong.sum())
    ends = binomtest(found, count).proportion_ci(level, method="exact")
    metric = Metric(name=name, value=found / count, count=count, higher_is_better=False)
    return metric.within(ends.low, ends.high, interval=f"{level:.0%} Clopper-Pearson")
