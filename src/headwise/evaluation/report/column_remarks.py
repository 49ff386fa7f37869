"""What a legend says of columns: each remark once, with the columns that it holds for."""

from collections.abc import Iterable, Mapping, Sequence

from headwise.evaluation.report.metric_names import unit_of
from headwise.metrics import Metric


def by_column(
    labels: Mapping[str, str], remarks: Iterable[tuple[str, str]], form: str = "{}, for {}"
) -> tuple[str, ...]:
    """Each remark once; where columns differ, with the labels of those that it holds for.

    Args:
        labels: Names of the columns and their labels.
        remarks: Pairs of a column's name and a remark; those of other columns do not count.
        form: How a remark and labels are put together.
    """
    found: dict[str, dict[str, None]] = {}
    for name, remark in remarks:
        if name in labels:
            found.setdefault(remark.rstrip("."), {})[labels[name]] = None
    if len(found) == 1:
        return tuple(found)
    return tuple(form.format(remark, listed(list(where))) for remark, where in found.items())


def listed(names: Sequence[str]) -> str:
    """Names as a sentence lists them: ``a, b and c``.

    Args:
        names: At least one.
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def interval_remarks(rows: Iterable[Mapping[str, Metric]]) -> Iterable[tuple[str, str]]:
    """How each interval was found, by column.

    Args:
        rows: The metrics of each row, by name.
    """
    for metrics in rows:
        for name, metric in metrics.items():
            if metric.low is not None and metric.high is not None:
                yield name, metric.interval or "a method that was not named"


def count_remarks(
    names: Iterable[str], rows: Sequence[Mapping[str, Metric]]
) -> Iterable[tuple[str, str]]:
    """From how many of what a column was computed.

    Args:
        names: The columns.
        rows: The metrics of each row, by name.
    """
    for name in names:
        counts = [metrics[name].count for metrics in rows if name in metrics]
        low, high = min(counts), max(counts)
        shown = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        yield name, f"{shown} {unit_of(name)}"
