"""Pure metric functions: numbers in, a number out; no models, no files."""

from headwise.metrics.ranking import roc_auc

__all__ = ["roc_auc"]
