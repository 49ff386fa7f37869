"""Pure metric functions and the record they return; no models, no files."""

from headwise.metrics.metric import Metric, undefined
from headwise.metrics.ranking import roc_auc

__all__ = ["Metric", "roc_auc", "undefined"]
