"""Training language models: a loss that builds no logits, and vocabularies in splits."""

from headwise.training.language_modelling.fused_lm_loss import patch_lm_loss, unpatch_lm_loss
from headwise.training.language_modelling.parameter_groups import split_parameter_groups
from headwise.training.language_modelling.split_vocabulary import (
    SplitVocabulary,
    merge_unembedding,
    split_unembedding,
)
from headwise.training.language_modelling.token_rows import NewRows

__all__ = [
    "NewRows",
    "SplitVocabulary",
    "merge_unembedding",
    "patch_lm_loss",
    "split_parameter_groups",
    "split_unembedding",
    "unpatch_lm_loss",
]
