"""Pure metric functions, the record they return, thresholds; no models, no files."""

from headwise.metrics.bootstrap import bootstrap, percentile_interval
from headwise.metrics.classification import (
    accuracy,
    class_f1,
    class_precision,
    class_recall,
    confusion_matrix,
    macro_f1,
)
from headwise.metrics.correlation import (
    kendall,
    over_confidence,
    pearson,
    spearman,
    under_confidence,
)
from headwise.metrics.decisions import f1, matthews, precision, recall
from headwise.metrics.kendall_interval import KendallSamples, kendall_samples, kendall_with_interval
from headwise.metrics.metric import Metric, undefined
from headwise.metrics.pairwise_accuracy import (
    PairwiseAccuracy,
    pairwise_accuracy,
    weighted_pairwise_accuracy,
)
from headwise.metrics.probability import (
    ReliabilityCurve,
    brier,
    expected_calibration_error,
    log_loss,
    reliability_curve,
)
from headwise.metrics.ranking import average_precision, roc_auc
from headwise.metrics.rejection import (
    RiskCoverage,
    rejection_ratio,
    risk_coverage_area,
    risk_coverage_curve,
)
from headwise.metrics.resampled import (
    ResampledMetric,
    Statistic,
    Weighted,
    weighted_mean,
    weighted_ratio,
)
from headwise.metrics.selective import (
    answer_accuracy,
    answer_risk,
    answered_share,
    selective_accuracy,
)
from headwise.metrics.spans import (
    Range,
    SpanScores,
    overlap_counts,
    span_scores,
    span_statistics,
    token_span_scores,
)
from headwise.metrics.system_level import (
    soft_pairwise_accuracy,
    system_kendall,
    system_pairwise_accuracy,
    system_pearson,
)
from headwise.metrics.thresholds.abstention import (
    threshold_for_coverage,
    threshold_for_risk,
    threshold_with_guarantee,
)

__all__ = [
    "KendallSamples",
    "Metric",
    "PairwiseAccuracy",
    "Range",
    "ReliabilityCurve",
    "ResampledMetric",
    "RiskCoverage",
    "SpanScores",
    "Statistic",
    "Weighted",
    "accuracy",
    "answer_accuracy",
    "answer_risk",
    "answered_share",
    "average_precision",
    "bootstrap",
    "brier",
    "class_f1",
    "class_precision",
    "class_recall",
    "confusion_matrix",
    "expected_calibration_error",
    "f1",
    "kendall",
    "kendall_samples",
    "kendall_with_interval",
    "log_loss",
    "macro_f1",
    "matthews",
    "over_confidence",
    "overlap_counts",
    "pairwise_accuracy",
    "pearson",
    "percentile_interval",
    "precision",
    "recall",
    "rejection_ratio",
    "reliability_curve",
    "risk_coverage_area",
    "risk_coverage_curve",
    "roc_auc",
    "selective_accuracy",
    "soft_pairwise_accuracy",
    "span_scores",
    "span_statistics",
    "spearman",
    "system_kendall",
    "system_pairwise_accuracy",
    "system_pearson",
    "threshold_for_coverage",
    "threshold_for_risk",
    "threshold_with_guarantee",
    "token_span_scores",
    "undefined",
    "under_confidence",
    "weighted_mean",
    "weighted_pairwise_accuracy",
    "weighted_ratio",
]
