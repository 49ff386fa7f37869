"""Features computed when they are asked for."""

from collections.abc import Sequence

import torch
from torch import Tensor

from headwise.backbones import Backbone
from headwise.features.batch import FeatureBatch, position_keys
from headwise.features.examples import Example
from headwise.functional import vocabulary_statistics


class LiveFeatures:
    """Runs the frozen model on every batch that is asked for.

    Args:
        backbone: The frozen language model.
        examples: What can be asked for.
        candidates: M, how many of the most probable tokens a position gets.
    """

    def __init__(self, backbone: Backbone, examples: Sequence[Example], *, candidates: int) -> None:
        self._backbone, self._examples, self._candidates = backbone, examples, candidates
        self.vocabulary_size = backbone.vocabulary_size
        self.lengths = [len(example.code) for example in examples]
        self.counts = [len(example.code.targets) for example in examples]
        self.has_errors = any(example.errors is not None for example in examples)

    def target_counts(self, vocabulary_size: int) -> Tensor:
        """How often each token is a target, ``(V,)``, float32."""
        targets = [target for example in self._examples for target in example.code.targets]
        return torch.bincount(torch.tensor(targets), minlength=vocabulary_size).float()

    @torch.no_grad()
    def batch(self, indices: Sequence[int]) -> FeatureBatch:
        """Features of some examples, on the backbone's device."""
        chosen = [self._examples[index] for index in indices]
        hidden = self._backbone.target_hidden([example.code for example in chosen])
        targets = [target for example in chosen for target in example.code.targets]
        placed = torch.tensor(targets, device=hidden.device)
        statistics = vocabulary_statistics(
            hidden, self._backbone.unembedding, placed, entropy=True, top_k=self._candidates
        )
        assert statistics.top_ids is not None
        assert statistics.top_log_probs is not None
        assert statistics.entropy is not None
        return FeatureBatch(
            hidden=hidden,
            targets=placed,
            keys=position_keys(
                [example.pair for example in chosen], [self.counts[i] for i in indices]
            ).to(hidden.device),
            top_ids=statistics.top_ids,
            top_log_probs=statistics.top_log_probs,
            entropy=statistics.entropy,
            errors=self._errors(chosen, hidden.device) if self.has_errors else None,
        )

    @staticmethod
    def _errors(examples: Sequence[Example], device: torch.device) -> Tensor:
        marks = [
            mark
            for example in examples
            for mark in example.errors or [False] * len(example.code.targets)
        ]
        return torch.tensor(marks, dtype=torch.bool, device=device)
