"""Small heads on frozen language models: quality, entailment, and heads for large models.

The front door is lazy: importing headwise costs nothing until a name is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headwise.entailment import EntailmentModel
    from headwise.functional import linear_cross_entropy
    from headwise.heads import RescalingHead, SigmoidHead
    from headwise.language_modelling import (
        merge_unembedding,
        patch_lm_loss,
        split_parameter_groups,
        split_unembedding,
        unpatch_lm_loss,
    )
    from headwise.quality import QualityEstimator
    from headwise.quality.after_training import train_error_head
    from headwise.version import __version__

_HOMES = {
    "__version__": "headwise.version",
    "EntailmentModel": "headwise.entailment",
    "QualityEstimator": "headwise.quality",
    "RescalingHead": "headwise.heads",
    "SigmoidHead": "headwise.heads",
    "linear_cross_entropy": "headwise.functional",
    "merge_unembedding": "headwise.language_modelling",
    "patch_lm_loss": "headwise.language_modelling",
    "split_parameter_groups": "headwise.language_modelling",
    "split_unembedding": "headwise.language_modelling",
    "train_error_head": "headwise.quality.after_training",
    "unpatch_lm_loss": "headwise.language_modelling",
}

__all__ = [
    "EntailmentModel",
    "QualityEstimator",
    "RescalingHead",
    "SigmoidHead",
    "__version__",
    "linear_cross_entropy",
    "merge_unembedding",
    "patch_lm_loss",
    "split_parameter_groups",
    "split_unembedding",
    "train_error_head",
    "unpatch_lm_loss",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'headwise' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
