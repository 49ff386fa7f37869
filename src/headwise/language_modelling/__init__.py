"""Training language models: a loss that builds no logits, and vocabularies in splits."""

from headwise.language_modelling.fused_loss.fused_lm_loss import patch_lm_loss, unpatch_lm_loss
from headwise.language_modelling.split_vocabulary.parameter_groups import split_parameter_groups
from headwise.language_modelling.split_vocabulary.split_vocabulary import (
    SplitVocabulary,
    merge_unembedding,
    split_unembedding,
)
from headwise.language_modelling.split_vocabulary.token_rows import NewRows

__all__ = [
    "NewRows",
    "SplitVocabulary",
    "merge_unembedding",
    "patch_lm_loss",
    "split_parameter_groups",
    "split_unembedding",
    "unpatch_lm_loss",
]
