"""Quality of hypotheses: score, generate, stream, rerank, and show; no training loops."""

from headwise.quality.estimator import QualityEstimator

__all__ = ["QualityEstimator"]
