"""Modules that own a head's parameters, and their safe storage; no tokenisers, data or loops."""

from transformers import AutoConfig, AutoModel

from headwise.choices import ErrorVariant, NLIFeatures
from headwise.heads.classification_head import ClassificationHead
from headwise.heads.entailment.abstention_head import AbstentionHead
from headwise.heads.entailment.embedding_head import EmbeddingHead
from headwise.heads.entailment.late_interaction_head import LateInteractionHead
from headwise.heads.entailment.nli_head import NLI_LABELS, NLIHead, NLILabel
from headwise.heads.entailment.task_heads import TaskHeads, TaskHeadsConfig, check_task_heads_fit
from headwise.heads.late_init import ModuleLateInit, materialise
from headwise.heads.quality.biased_head import BiasedSigmoidHead, ContextualSigmoidHead
from headwise.heads.quality.error_head import ErrorHead
from headwise.heads.quality.head_types import HEAD_TYPES, QualityHead, build_head
from headwise.heads.quality.rescaling_head import RescaledSigmoidHead, RescalingHead
from headwise.heads.quality.sigmoid_head import SigmoidHead
from headwise.heads.storage.error_head import load_error_head, save_error_head
from headwise.heads.storage.hub.sigmoid_head import SigmoidHead as _HubSigmoidHead
from headwise.heads.storage.hub.sigmoid_head import SigmoidHeadConfig
from headwise.heads.storage.quality_heads import (
    check_fit,
    head_folder,
    load_head,
    save_head,
)
from headwise.heads.storage.task_heads import (
    is_task_heads,
    load_task_heads,
    save_seed_heads,
    save_task_heads,
)
from headwise.heads.value_head import ValueHead
from headwise.heads.vocabulary.split_language_modelling_head import SplitLanguageModellingHead
from headwise.heads.vocabulary.split_token_embeddings import SplitTokenEmbeddings

# Transformers code in the same process loads exported folders without trust_remote_code
AutoConfig.register(SigmoidHeadConfig.model_type, SigmoidHeadConfig, exist_ok=True)
AutoModel.register(SigmoidHeadConfig, _HubSigmoidHead, exist_ok=True)

__all__ = [
    "HEAD_TYPES",
    "NLI_LABELS",
    "AbstentionHead",
    "BiasedSigmoidHead",
    "ClassificationHead",
    "ContextualSigmoidHead",
    "EmbeddingHead",
    "ErrorHead",
    "ErrorVariant",
    "LateInteractionHead",
    "ModuleLateInit",
    "NLIFeatures",
    "NLIHead",
    "NLILabel",
    "QualityHead",
    "RescaledSigmoidHead",
    "RescalingHead",
    "SigmoidHead",
    "SigmoidHeadConfig",
    "SplitLanguageModellingHead",
    "SplitTokenEmbeddings",
    "TaskHeads",
    "TaskHeadsConfig",
    "ValueHead",
    "build_head",
    "check_fit",
    "check_task_heads_fit",
    "head_folder",
    "is_task_heads",
    "load_error_head",
    "load_head",
    "load_task_heads",
    "materialise",
    "save_error_head",
    "save_head",
    "save_seed_heads",
    "save_task_heads",
]
