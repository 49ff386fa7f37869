"""Quality of hypotheses: score, generate, stream, rerank, and show; no training loops.

The name is imported when it is used: rules of thresholds alone need no PyTorch.
"""

from typing import TYPE_CHECKING

from headwise.lazy_names import lazy_names

if TYPE_CHECKING:
    from headwise.quality.estimator import QualityEstimator

__all__ = ["QualityEstimator"]

__getattr__ = lazy_names(__name__, {".estimator": __all__})
