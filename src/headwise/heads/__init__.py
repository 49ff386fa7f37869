"""Modules that own a head's parameters, and their safe storage; no tokenisers, data or loops."""

from transformers import AutoConfig, AutoModel

from headwise.heads.biased_head import BiasedSigmoidHead, ContextualSigmoidHead
from headwise.heads.head_types import HEAD_TYPES, QualityHead, build_head
from headwise.heads.hub.sigmoid_head import SigmoidHead as _HubSigmoidHead
from headwise.heads.hub.sigmoid_head import SigmoidHeadConfig
from headwise.heads.rescaling_head import RescaledSigmoidHead, RescalingHead
from headwise.heads.sigmoid_head import SigmoidHead
from headwise.heads.storage import check_fit, head_folder, load_head, save_head

# Transformers code in the same process loads exported folders without trust_remote_code
AutoConfig.register(SigmoidHeadConfig.model_type, SigmoidHeadConfig, exist_ok=True)
AutoModel.register(SigmoidHeadConfig, _HubSigmoidHead, exist_ok=True)

__all__ = [
    "HEAD_TYPES",
    "BiasedSigmoidHead",
    "ContextualSigmoidHead",
    "QualityHead",
    "RescaledSigmoidHead",
    "RescalingHead",
    "SigmoidHead",
    "SigmoidHeadConfig",
    "build_head",
    "check_fit",
    "head_folder",
    "load_head",
    "save_head",
]
