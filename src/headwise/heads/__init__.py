"""Modules that own a head's parameters, and their safe storage; no tokenisers, data or loops."""

from transformers import AutoConfig, AutoModel

from headwise.heads.hub.sigmoid_head import SigmoidHead as _HubSigmoidHead
from headwise.heads.hub.sigmoid_head import SigmoidHeadConfig
from headwise.heads.rescaling_head import RescaledSigmoidHead, RescalingHead
from headwise.heads.sigmoid_head import SigmoidHead
from headwise.heads.storage import QualityHead, load_head, save_head

# Transformers code in the same process loads exported folders without trust_remote_code
AutoConfig.register(SigmoidHeadConfig.model_type, SigmoidHeadConfig, exist_ok=True)
AutoModel.register(SigmoidHeadConfig, _HubSigmoidHead, exist_ok=True)

__all__ = [
    "QualityHead",
    "RescaledSigmoidHead",
    "RescalingHead",
    "SigmoidHead",
    "SigmoidHeadConfig",
    "load_head",
    "save_head",
]
