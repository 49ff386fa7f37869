"""What signals say of sets of right and wrong texts, and how good that is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from error_sets import RIGHT, ErrorSet
from numpy.typing import NDArray
from torch.nn.functional import logsigmoid

from headwise.backbones import Backbone
from headwise.functional import LargestDrop, vocabulary_statistics
from headwise.heads import ErrorHead, QualityHead
from headwise.metrics import roc_auc
from headwise.metrics.bootstrap import bootstrap, percentile_interval

Floats = NDArray[np.float64]

_TEXTS = 256


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % bootstrap interval over sources."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return format(self, "")

    def __format__(self, sign: str) -> str:
        return f"{self.value:{sign}.3f} [{self.low:{sign}.3f}, {self.high:{sign}.3f}]"


@torch.inference_mode()
def head_free_signals(found: ErrorSet, backbone: Backbone, head: QualityHead) -> dict[str, Floats]:
    """Logarithms of softmax, boosted and sigmoid of every position."""
    values: dict[str, list[torch.Tensor]] = {"softmax": [], "boosted": [], "sigmoid": []}
    for texts in _batches(found):
        batch = found.features.batch(texts)
        statistics = vocabulary_statistics(
            batch.hidden, backbone.unembedding, batch.targets, selector=LargestDrop()
        )
        assert statistics.boosted is not None
        values["softmax"].append(statistics.log_prob)
        values["boosted"].append(statistics.boosted.log())
        values["sigmoid"].append(logsigmoid(head.logits(batch.hidden, batch.targets)))
    return {name: torch.cat(parts).double().numpy() for name, parts in values.items()}


@torch.inference_mode()
def error_logits(found: ErrorSet, backbone: Backbone, head: ErrorHead) -> Floats:
    """Minus the logit of `error` of every position: a higher value for a better token."""
    rows = backbone.unembedding.weight
    parts = []
    for texts in _batches(found):
        batch = found.features.batch(texts)
        logits = head.logits(
            batch.hidden,
            rows[batch.targets],
            batch.counts,
            statistics=batch.statistics if head.statistics else None,
        )
        parts.append(-logits[:, 0])
    return torch.cat(parts).double().numpy()


@torch.inference_mode()
def wrong_positions(found: ErrorSet) -> NDArray[np.bool_]:
    """Which positions are wrong, or follow a gap."""
    marks = [found.features.batch(texts).errors for texts in _batches(found)]
    return torch.cat([mark for mark in marks if mark is not None]).numpy()


def positions(found: ErrorSet, texts: Sequence[int]) -> NDArray[np.int64]:
    """Positions of the tokens of some texts, without the one that closes each of them."""
    counts = found.features.counts
    return np.concatenate(
        [np.arange(found.starts[i], found.starts[i] + counts[i] - 1) for i in texts]
    )


def token_auroc(
    found: ErrorSet,
    family: str,
    signals: Mapping[str, Floats],
    wrong: NDArray[np.bool_],
    *,
    resamples: int = 1000,
) -> tuple[dict[str, Interval], Floats]:
    """ROC AUC of the tokens of right texts and copies of one family, for each signal.

    Returns:
        Values with intervals, and the resampled values ``(signals, R)``, paired.
    """
    texts = found.texts(RIGHT, family)
    places = positions(found, texts)
    groups = np.repeat(
        [found.groups[i] for i in texts], [found.features.counts[i] - 1 for i in texts]
    )
    return _auroc({n: v[places] for n, v in signals.items()}, ~wrong[places], groups, resamples)


def text_auroc(
    found: ErrorSet, family: str, signals: Mapping[str, Floats], *, resamples: int = 1000
) -> tuple[dict[str, Interval], Floats]:
    """ROC AUC of right texts against copies of one family, by a value of each text."""
    texts = found.texts(RIGHT, family)
    right = np.array([found.families[i] == RIGHT for i in texts])
    groups = np.array([found.groups[i] for i in texts])
    return _auroc({n: v[texts] for n, v in signals.items()}, right, groups, resamples)


def text_parts(found: ErrorSet) -> list[slice]:
    """Positions of the tokens of each text, without the one that closes it."""
    ends = found.starts + np.array(found.features.counts) - 1
    return [slice(start, end) for start, end in zip(found.starts, ends, strict=True)]


def text_values(found: ErrorSet, values: Floats) -> dict[str, Floats]:
    """Mean, least value and noisy-or of the error logits of each text's tokens."""
    probabilities = 1.0 / (1.0 + np.exp(values))  # of an error
    cut = text_parts(found)
    return {
        "mean": np.array([-probabilities[part].mean() for part in cut]),
        "min": np.array([values[part].min() for part in cut]),
        "noisy-or": np.array([np.log1p(-probabilities[part]).sum() for part in cut]),
    }


def false_alarms(errors: Floats, right: Floats, *, found: float) -> float:
    """Share of right tokens that are flagged where a share of the errors is found.

    Args:
        errors: Least value among the tokens of each error.
        right: Values of right tokens.
        found: Share of the errors.
    """
    return float((right <= np.quantile(errors, found)).mean())


def bootstrapped(
    statistics: Callable[[NDArray[np.int64]], Sequence[float]],
    groups: NDArray[np.str_],
    *,
    resamples: int = 200,
) -> list[Interval]:
    """Statistics of chosen items, with intervals from drawing whole groups of them."""
    value = statistics(np.arange(len(groups)))
    names, group = np.unique(groups, return_inverse=True)
    members = np.split(np.argsort(group, kind="stable"), np.bincount(group).cumsum()[:-1])
    rng = np.random.default_rng(0)
    drawn = [
        statistics(np.concatenate([members[i] for i in rng.integers(0, len(names), len(names))]))
        for _ in range(resamples)
    ]
    low, high = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    return [Interval(*row) for row in zip(value, low, high, strict=True)]


def _auroc(
    signals: Mapping[str, Floats],
    right: NDArray[np.bool_],
    groups: NDArray[np.str_],
    resamples: int,
) -> tuple[dict[str, Interval], Floats]:
    statistics = [roc_auc.weighted(values, right) for values in signals.values()]
    drawn = bootstrap(statistics, count=len(right), groups=groups, resamples=resamples)
    ones = np.ones((1, len(right)))
    intervals = {}
    for name, statistic, values in zip(signals, statistics, drawn, strict=True):
        low_high = percentile_interval(values)
        assert low_high is not None
        intervals[name] = Interval(float(statistic(ones)[0]), *low_high)
    return intervals, drawn


def _batches(found: ErrorSet) -> list[range]:
    count = len(found.features.counts)
    return [range(i, min(i + _TEXTS, count)) for i in range(0, count, _TEXTS)]
