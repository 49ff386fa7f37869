"""Pure tensor operations over hidden states and vocabularies; no modules, strings or files."""

from headwise.functional.boosted_probability import boosted_probability
from headwise.functional.dominant_tokens import (
    DominantSelector,
    DominantTokens,
    EpsilonCut,
    EtaCut,
    LargestDrop,
    MinP,
    TopK,
    TopP,
    dominant_tokens,
)
from headwise.functional.gathered_logits import gathered_logits
from headwise.functional.vocabulary_statistics import VocabularyStatistics, vocabulary_statistics

__all__ = [
    "DominantSelector",
    "DominantTokens",
    "EpsilonCut",
    "EtaCut",
    "LargestDrop",
    "MinP",
    "TopK",
    "TopP",
    "VocabularyStatistics",
    "boosted_probability",
    "dominant_tokens",
    "gathered_logits",
    "vocabulary_statistics",
]
