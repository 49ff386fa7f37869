"""Quality of hypotheses: score, generate, stream, rerank, and show; no training loops.

Names are imported when they are used: rules of thresholds alone need no PyTorch.
"""

from typing import TYPE_CHECKING

from headwise.lazy_names import lazy_names

if TYPE_CHECKING:
    from headwise.quality.estimator import QualityEstimator
    from headwise.quality.tables import ScoreTables

__all__ = ["QualityEstimator", "ScoreTables"]

__getattr__ = lazy_names(
    __name__, {".estimator": ("QualityEstimator",), ".tables": ("ScoreTables",)}
)
