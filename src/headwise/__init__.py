"""Small heads on frozen language models: quality, entailment, and heads for large models.

The front door is lazy: importing headwise costs nothing until a name is used.
"""

from typing import TYPE_CHECKING

from headwise.lazy_names import lazy_names

if TYPE_CHECKING:
    from headwise.backbones import RemoteBackbone
    from headwise.cascade import Cascade, CascadeGuarantee
    from headwise.entailment import EntailmentModel
    from headwise.functional import linear_cross_entropy
    from headwise.grounding import GroundedAnswer, GroundingDetector
    from headwise.heads import RescalingHead, SharedUnembeddingHead, SigmoidHead
    from headwise.language_modelling import (
        merge_unembedding,
        patch_lm_loss,
        split_parameter_groups,
        split_unembedding,
        unpatch_lm_loss,
    )
    from headwise.quality import QualityEstimator
    from headwise.quality.after_training import train_error_head
    from headwise.report import grounded_html, scored_html
    from headwise.version import __version__

_HOMES = {
    ".backbones": ("RemoteBackbone",),
    ".cascade": ("Cascade", "CascadeGuarantee"),
    ".entailment": ("EntailmentModel",),
    ".functional": ("linear_cross_entropy",),
    ".grounding": ("GroundedAnswer", "GroundingDetector"),
    ".heads": ("RescalingHead", "SharedUnembeddingHead", "SigmoidHead"),
    ".language_modelling": (
        "merge_unembedding",
        "patch_lm_loss",
        "split_parameter_groups",
        "split_unembedding",
        "unpatch_lm_loss",
    ),
    ".quality": ("QualityEstimator",),
    ".quality.after_training": ("train_error_head",),
    ".report": ("grounded_html", "scored_html"),
    ".version": ("__version__",),
}

__all__ = [
    "Cascade",
    "CascadeGuarantee",
    "EntailmentModel",
    "GroundedAnswer",
    "GroundingDetector",
    "QualityEstimator",
    "RemoteBackbone",
    "RescalingHead",
    "SharedUnembeddingHead",
    "SigmoidHead",
    "__version__",
    "grounded_html",
    "linear_cross_entropy",
    "merge_unembedding",
    "patch_lm_loss",
    "scored_html",
    "split_parameter_groups",
    "split_unembedding",
    "train_error_head",
    "unpatch_lm_loss",
]

__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
