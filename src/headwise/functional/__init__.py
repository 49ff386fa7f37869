"""Pure tensor operations over hidden states and vocabularies; no modules or files."""

from headwise.functional.class_uncertainty import Uncertainty, class_uncertainty
from headwise.functional.dominant_tokens import (
    DominantSelector,
    DominantTokens,
    EpsilonCut,
    EtaCut,
    LargestDrop,
    MinP,
    TopK,
    TopP,
    boosted_probability,
    dominant_tokens,
)
from headwise.functional.gathered_logits import gathered_logits
from headwise.functional.losses import (
    LM_IGNORE_INDEX,
    LinearCrossEntropyOutput,
    LossBackend,
    linear_cross_entropy,
    linear_sigmoid_cross_entropy,
)
from headwise.functional.max_sim import max_sim
from headwise.functional.pair_features import pair_features
from headwise.functional.pooling import Pooling, pool
from headwise.functional.vocabulary_statistics import VocabularyStatistics, vocabulary_statistics

__all__ = [
    "LM_IGNORE_INDEX",
    "DominantSelector",
    "DominantTokens",
    "EpsilonCut",
    "EtaCut",
    "LargestDrop",
    "LinearCrossEntropyOutput",
    "LossBackend",
    "MinP",
    "Pooling",
    "TopK",
    "TopP",
    "Uncertainty",
    "VocabularyStatistics",
    "boosted_probability",
    "class_uncertainty",
    "dominant_tokens",
    "gathered_logits",
    "linear_cross_entropy",
    "linear_sigmoid_cross_entropy",
    "max_sim",
    "pair_features",
    "pool",
    "vocabulary_statistics",
]
