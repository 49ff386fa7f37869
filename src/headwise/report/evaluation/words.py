"""The names of metrics as papers write them, and what each is counted in."""

import re
from collections.abc import Iterable, Mapping, Sequence

from headwise.evaluation.statistics.results import Mistake
from headwise.metrics import Metric
from headwise.report.text import number

MISTAKES = "Surest mistakes"

# Names as papers write them; any other name stands as it is, without underscores.
_LABELS = {
    "pearson": "Pearson r",
    "spearman": "Spearman \N{GREEK SMALL LETTER RHO}",
    "kendall": "Kendall τ",
    "acc_eq": "acc*eq",
    "system_acc": "System accuracy",
    "system_pearson": "System Pearson r",
    "system_kendall": "System Kendall τ",
    "spa": "SPA",
    "roc_auc": "ROC AUC",
    "average_precision": "AP",
    "ece": "ECE",
    "ece_equal_mass": "ECE, equal mass",
    "mcc": "MCC",
    "prr": "PRR",
    "aurc": "AURC",
    "under_confidence": "Under-confidence",
    "over_confidence": "Over-confidence",
    "macro_f1": "Macro-F1",
    "selective_accuracy_80": "Acc. at 80 %",
    "selective_accuracy_90": "Acc. at 90 %",
    "selective_risk": "Error among answers",
}
# What abbreviations stand for
_LONG_NAMES = {
    "acc_eq": "pairwise accuracy with calibrated ties",
    "average_precision": "average precision",
    "ece": "expected calibration error",
    "spa": "soft pairwise accuracy",
    "mcc": "Matthews correlation coefficient",
    "prr": "prediction-rejection ratio",
    "aurc": "area under the risk-coverage curve",
    "selective_accuracy_80": "accuracy where the surest 80 % are answered",
    "selective_accuracy_90": "accuracy where the surest 90 % are answered",
    "selective_accuracy": "accuracy of the answers that are given",
}
# What metrics are counted in that count neither items nor texts
_UNITS = {
    "system_acc": "pairs of systems",
    "spa": "pairs of systems",
    "system_pearson": "systems",
    "system_kendall": "systems",
    "spread_per_worse_output": "sources",
    "fall": "sources",
    "below_all": "worse outputs",
    "range": "sources",
    "spread_per_crude_error": "sources",
    "spread_per_plausible_error": "sources",
    "spread_per_independent_error": "sources",
}
# Known names whose labels need no table
_PLAIN = {"f1", "f1_right", "f1_wrong", "log_loss", "span_f1"}
_PLAIN_NAME = re.compile(r"[a-z0-9_ ]+")
# Spellings that no sentence has by accident
_TELLING = re.compile(r"(?<![\w.-])(?:[a-z0-9]+(?:_[a-z0-9]+)+|f1|mcc|ece|prr|aurc)(?![\w-]|\.\w)")


def metric_label(name: str) -> str:
    """A metric's name for a reader; what is no plain name, as those of slices, stays as it is."""
    if not _PLAIN_NAME.fullmatch(name):
        return name
    words = re.sub(r"\bf1\b", "F1", name.replace("_", " "))
    return _LABELS.get(name, words[:1].upper() + words[1:])


def long_name(name: str) -> str | None:
    """What the abbreviation in a metric's label stands for; ``None`` if it is none."""
    return _LONG_NAMES.get(name)


def with_labels(text: str, names: Iterable[str] = ()) -> str:
    """A note in which metrics are called what the headings of columns call them.

    It may speak of metrics of some names besides those that are known here; names that are
    common words stay as they are.
    """
    known = {*_LABELS, *_PLAIN, *names}
    return _TELLING.sub(
        lambda match: metric_label(match.group()) if match.group() in known else match.group(),
        text,
    )


def by_column(
    labels: Mapping[str, str], remarks: Iterable[tuple[str, str]], form: str = "{}, for {}"
) -> tuple[str, ...]:
    """Each remark once; where columns differ, with the labels of those that it holds for.

    Remarks come as pairs with a column's name; those of columns without a label do not count.
    """
    found: dict[str, dict[str, None]] = {}
    for name, remark in remarks:
        if name in labels:
            found.setdefault(remark.rstrip("."), {})[labels[name]] = None
    if len(found) == 1:
        return tuple(found)
    return tuple(form.format(remark, listed(list(where))) for remark, where in found.items())


def listed(names: Sequence[str]) -> str:
    """Names, at least one, as a sentence lists them: ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def interval_remarks(rows: Iterable[Mapping[str, Metric]]) -> Iterable[tuple[str, str]]:
    """How each interval was found, by column."""
    for metrics in rows:
        for name, metric in metrics.items():
            if metric.low is not None and metric.high is not None:
                yield name, metric.interval or "a method that was not named"


def count_remarks(
    names: Iterable[str], rows: Sequence[Mapping[str, Metric]]
) -> Iterable[tuple[str, str]]:
    """From how many of what a column was computed."""
    for name in names:
        counts = [metrics[name].count for metrics in rows if name in metrics]
        low, high = min(counts), max(counts)
        shown = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        unit = _UNITS.get(name, "texts" if "span_" in name else "items")
        yield name, f"{shown} {unit}"


def mistake_verdict(item: Mistake) -> str:
    """What the model said and what is right, in a sentence."""
    kept = "abstained" if item.abstained else "did not abstain"
    return f"Answered {item.predicted}, gold {item.gold}; the model {kept}."


def mistake_summary(item: Mistake) -> str:
    """The same with its numbers."""
    return (
        f"{mistake_verdict(item)} Confidence {number(item.confidence, 3)}, "
        f"uncertainty {number(item.uncertainty, 3)}."
    )
