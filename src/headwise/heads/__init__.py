"""Modules that own a head's parameters, and their safe storage; no tokenisers, data or loops."""

from transformers import AutoConfig, AutoModel

from headwise.choices import HEAD_TYPES, NLI_LABELS, ErrorVariant, NLIFeatures, NLILabel
from headwise.heads.entailment.abstention_head import AbstentionHead
from headwise.heads.entailment.embedding_heads import EmbeddingHead, LateInteractionHead
from headwise.heads.entailment.interaction_network import InteractionNetwork
from headwise.heads.entailment.nli_head import NLIHead, NLIReading
from headwise.heads.entailment.paired_tokens import InferenceInputs, PairedTokens
from headwise.heads.entailment.task_heads import (
    ABSTAIN_BY,
    LEARNED,
    PairReading,
    TaskHeads,
    TaskHeadsConfig,
    check_task_heads_fit,
    check_threshold,
    evidence_size,
    read_pairs,
)
from headwise.heads.late_init import ModuleLateInit, materialise
from headwise.heads.layers import layers_in_words
from headwise.heads.linear_heads import ClassificationHead, ValueHead
from headwise.heads.quality.biased_head import BiasedSigmoidHead, ContextualSigmoidHead
from headwise.heads.quality.error_head import ErrorHead
from headwise.heads.quality.error_reader import ErrorReader
from headwise.heads.quality.rescaling_head import RescaledSigmoidHead, RescalingHead
from headwise.heads.quality.shared_unembedding_head import SharedUnembeddingHead
from headwise.heads.quality.sigmoid_head import SigmoidHead
from headwise.heads.storage.card_languages import card_languages
from headwise.heads.storage.copies import copy_head, head_folder
from headwise.heads.storage.fit import check_depth, check_fit
from headwise.heads.storage.hub.sigmoid_head import SigmoidHead as _HubSigmoidHead
from headwise.heads.storage.hub.sigmoid_head import SigmoidHeadConfig
from headwise.heads.storage.kinds import (
    ERROR_FILES,
    QualityHead,
    build_head,
    has_error_head,
    has_sigmoid_head,
    is_task_heads,
)
from headwise.heads.storage.quality_heads import (
    HeadInfo,
    check_same_prompt,
    differing_part,
    load_error_head,
    load_head,
    read_head_info,
    save_head,
)
from headwise.heads.storage.task_heads import load_task_heads, save_seed_heads, save_task_heads
from headwise.heads.vocabulary.split_language_modelling_head import SplitLanguageModellingHead
from headwise.heads.vocabulary.split_token_embeddings import SplitTokenEmbeddings

# One function writes any head of a language model; its older name for error heads stays
save_error_head = save_head
"""The older name of :func:`save_head`."""

# Transformers code in the same process loads exported folders without trust_remote_code
AutoConfig.register(SigmoidHeadConfig.model_type, SigmoidHeadConfig, exist_ok=True)
AutoModel.register(SigmoidHeadConfig, _HubSigmoidHead, exist_ok=True)

__all__ = [
    "ABSTAIN_BY",
    "ERROR_FILES",
    "HEAD_TYPES",
    "LEARNED",
    "NLI_LABELS",
    "AbstentionHead",
    "BiasedSigmoidHead",
    "ClassificationHead",
    "ContextualSigmoidHead",
    "EmbeddingHead",
    "ErrorHead",
    "ErrorReader",
    "ErrorVariant",
    "HeadInfo",
    "InferenceInputs",
    "InteractionNetwork",
    "LateInteractionHead",
    "ModuleLateInit",
    "NLIFeatures",
    "NLIHead",
    "NLILabel",
    "NLIReading",
    "PairReading",
    "PairedTokens",
    "QualityHead",
    "RescaledSigmoidHead",
    "RescalingHead",
    "SharedUnembeddingHead",
    "SigmoidHead",
    "SigmoidHeadConfig",
    "SplitLanguageModellingHead",
    "SplitTokenEmbeddings",
    "TaskHeads",
    "TaskHeadsConfig",
    "ValueHead",
    "build_head",
    "card_languages",
    "check_depth",
    "check_fit",
    "check_same_prompt",
    "check_task_heads_fit",
    "check_threshold",
    "copy_head",
    "differing_part",
    "evidence_size",
    "has_error_head",
    "has_sigmoid_head",
    "head_folder",
    "is_task_heads",
    "layers_in_words",
    "load_error_head",
    "load_head",
    "load_task_heads",
    "materialise",
    "read_head_info",
    "read_pairs",
    "save_error_head",
    "save_head",
    "save_seed_heads",
    "save_task_heads",
]
