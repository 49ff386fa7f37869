"""Features computed when they are asked for."""

from collections.abc import Sequence

import torch
from torch import Tensor

from headwise.backbones import Backbone
from headwise.features.batch import FeatureBatch, position_keys
from headwise.features.examples import Example, Marks
from headwise.functional import vocabulary_statistics


class LiveFeatures:
    """Runs the frozen model on every batch that is asked for.

    Args:
        backbone: The frozen language model.
        examples: What can be asked for.
        candidates: M, how many of the most probable tokens a position gets.
        statistics: Whether batches hold log-probability, entropy and rank of the targets.
    """

    def __init__(
        self,
        backbone: Backbone,
        examples: Sequence[Example],
        *,
        candidates: int,
        statistics: bool = False,
    ) -> None:
        self._backbone, self._examples, self._candidates = backbone, examples, candidates
        self._statistics = statistics
        self.vocabulary_size = backbone.vocabulary_size
        self.pairs = [example.pair for example in examples]
        self.lengths = [len(example.code) for example in examples]
        self.counts = [len(example.code.targets) for example in examples]
        self.has_errors = any(example.errors is not None for example in examples)
        self.has_missing = any(example.missing is not None for example in examples)

    def target_counts(self, vocabulary_size: int) -> Tensor:
        """How often each token is a target, ``(V,)``, float32."""
        targets = [target for example in self._examples for target in example.code.targets]
        return torch.bincount(torch.tensor(targets), minlength=vocabulary_size).float()

    @torch.no_grad()
    def batch(self, indices: Sequence[int]) -> FeatureBatch:
        """Features of some examples, on the backbone's device."""
        chosen = [self._examples[index] for index in indices]
        counts = tuple(self.counts[index] for index in indices)
        hidden = self._backbone.target_hidden([example.code for example in chosen])
        targets = [target for example in chosen for target in example.code.targets]
        placed = torch.tensor(targets, device=hidden.device)
        known = vocabulary_statistics(
            hidden,
            self._backbone.unembedding,
            placed,
            entropy=True,
            rank=self._statistics,
            top_k=self._candidates,
        )

        def joined(marks: Sequence[Marks]) -> Tensor:
            """Marks of examples one after another, ``(N,)``, bool; none where nobody looked."""
            both = zip(marks, counts, strict=True)
            flat = [mark for own, count in both for mark in own or (False,) * count]
            return torch.tensor(flat, dtype=torch.bool, device=hidden.device)

        looked = [None if e.missing is None else (True,) * len(e.missing) for e in chosen]
        assert known.top_ids is not None
        assert known.top_log_probs is not None
        assert known.entropy is not None
        statistics = None
        if known.rank is not None:
            statistics = torch.stack([known.log_prob, known.entropy, known.rank.float().log()], 1)
        return FeatureBatch(
            hidden=hidden,
            targets=placed,
            keys=position_keys([example.pair for example in chosen], counts).to(hidden.device),
            top_ids=known.top_ids,
            top_log_probs=known.top_log_probs,
            entropy=known.entropy,
            errors=joined([e.errors for e in chosen]) if self.has_errors else None,
            counts=counts,
            closing=joined([e.closing for e in chosen]),
            missing=joined([e.missing for e in chosen]) if self.has_missing else None,
            missing_known=joined(looked) if self.has_missing else None,
            statistics=statistics,
        )
