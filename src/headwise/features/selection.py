"""Some examples of a source as a source of their own."""

from collections.abc import Sequence

import torch
from torch import Tensor

from headwise.features.batch import FeatureBatch, FeatureSource

_WINDOW = 256


class SelectedFeatures:
    """Some examples of a source, in the given order.

    Args:
        source: Where their features come from.
        indices: Which of its examples; the same one may come more than once.

    Raises:
        IndexError: If the source has no such example.
    """

    def __init__(self, source: FeatureSource, indices: Sequence[int]) -> None:
        self._source, self._indices = source, list(indices)
        self.pairs = [source.pairs[i] for i in self._indices]
        self.lengths = [source.lengths[i] for i in self._indices]
        self.counts = [source.counts[i] for i in self._indices]
        self.has_errors, self.has_missing = source.has_errors, source.has_missing

    def target_counts(self, vocabulary_size: int) -> Tensor:
        """How often each token is a target, ``(V,)``, float32; reads all features once."""
        total = torch.zeros(vocabulary_size, dtype=torch.int64)
        for first in range(0, len(self._indices), _WINDOW):
            window = range(first, min(first + _WINDOW, len(self._indices)))
            targets = self.batch(window).targets.cpu()
            total += torch.bincount(targets, minlength=vocabulary_size)
        return total.float()

    def batch(self, indices: Sequence[int]) -> FeatureBatch:
        """Features of some of these examples."""
        return self._source.batch([self._indices[i] for i in indices])
