"""Metrics of weighted items: what a bootstrap evaluates many times over.

A resample of n items is a vector of n weights: how often each item was drawn. A weighted
statistic maps many such vectors to the metric's values, as if items had been repeated; what it
has to sort, it sorts once. Each of them, given weights of one, is the metric of the same name.
"""

from headwise.metrics.weighted_classes import (
    weighted_class_f1,
    weighted_class_precision,
    weighted_class_recall,
    weighted_macro_f1,
)
from headwise.metrics.weighted_ranks import (
    weighted_average_precision,
    weighted_roc_auc,
    weighted_spearman,
)
from headwise.metrics.weighted_rejection import (
    weighted_rejection_ratio,
    weighted_risk_coverage_area,
)
from headwise.metrics.weighted_rows import Weighted
from headwise.metrics.weighted_sums import (
    weighted_f1,
    weighted_matthews,
    weighted_mean,
    weighted_pearson,
    weighted_ratio,
)

__all__ = [
    "Weighted",
    "weighted_average_precision",
    "weighted_class_f1",
    "weighted_class_precision",
    "weighted_class_recall",
    "weighted_f1",
    "weighted_macro_f1",
    "weighted_matthews",
    "weighted_mean",
    "weighted_pearson",
    "weighted_ratio",
    "weighted_rejection_ratio",
    "weighted_risk_coverage_area",
    "weighted_roc_auc",
    "weighted_spearman",
]
