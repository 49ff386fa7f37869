"""Features computed when they are asked for."""

from collections.abc import Sequence

import torch
from torch import Tensor

from headwise.backbones import Backbone
from headwise.backbones.layers import all_layers
from headwise.choices import ONLY_LAST
from headwise.features.batch import FeatureBatch, position_keys
from headwise.features.examples import Example, Marks
from headwise.functional import vocabulary_statistics


class LiveFeatures:
    """Runs the frozen model on every batch that is asked for.

    Args:
        backbone: The frozen language model.
        examples: What can be asked for.
        candidates: M, how many of the most probable tokens a position gets; with 0, and without
            statistics, nothing of the vocabulary is computed.
        statistics: Whether batches hold log-probability, entropy and rank of the targets.
        layers: Layers whose hidden states they hold, side by side.
    """

    def __init__(
        self,
        backbone: Backbone,
        examples: Sequence[Example],
        *,
        candidates: int,
        statistics: bool = False,
        layers: Sequence[int] = ONLY_LAST,
    ) -> None:
        self._backbone, self._examples, self._candidates = backbone, examples, candidates
        self._statistics, self._layers = statistics, backbone.layer_numbers(layers)
        self.vocabulary_size = backbone.vocabulary_size
        self.pairs = [example.pair for example in examples]
        self.lengths = [len(example.code) for example in examples]
        self.counts = [len(example.code.targets) for example in examples]
        self.has_errors = any(example.errors is not None for example in examples)
        self.has_missing = any(example.missing is not None for example in examples)
        self.has_unsure = any(example.errors_known is not None for example in examples)

    def target_counts(self, vocabulary_size: int) -> Tensor:
        """How often each token is a target, ``(V,)``, float32.

        Args:
            vocabulary_size: V.
        """
        targets = [target for example in self._examples for target in example.code.targets]
        return torch.bincount(torch.tensor(targets), minlength=vocabulary_size).float()

    @torch.no_grad()
    def batch(self, indices: Sequence[int]) -> FeatureBatch:
        """Features of some examples, on the backbone's device.

        Args:
            indices: Numbers of examples, from 0.
        """
        chosen = [self._examples[index] for index in indices]
        counts = tuple(self.counts[index] for index in indices)
        vocabulary = ONLY_LAST if self._candidates or self._statistics else ()
        read = all_layers(self._layers, vocabulary)
        hidden = self._backbone.target_hidden([one.code for one in chosen], layers=read)
        targets = [target for example in chosen for target in example.code.targets]
        placed = torch.tensor(targets, device=hidden.device)
        known = None
        if vocabulary:
            known = vocabulary_statistics(
                self._backbone.of_layers(hidden, read, ONLY_LAST),
                self._backbone.unembedding,
                placed,
                entropy=True,
                rank=self._statistics,
                top_k=self._candidates,
            )

        def joined(marks: Sequence[Marks], *, otherwise: bool = False) -> Tensor:
            """Marks of examples one after another, ``(N,)``, bool; none where nobody looked."""
            both = zip(marks, counts, strict=True)
            flat = [mark for own, count in both for mark in own or (otherwise,) * count]
            return torch.tensor(flat, dtype=torch.bool, device=hidden.device)

        looked = [
            None if e.missing is None else e.missing_known or (True,) * len(e.missing)
            for e in chosen
        ]
        none = torch.empty(len(targets), 0, device=hidden.device)
        top_ids = top_log_probs = entropy = statistics = None
        if known is not None and known.entropy is not None:
            top_ids, top_log_probs, entropy = known.top_ids, known.top_log_probs, known.entropy
            if known.rank is not None:
                statistics = torch.stack([known.log_prob, entropy, known.rank.float().log()], 1)
        return FeatureBatch(
            hidden=self._backbone.of_layers(hidden, read, self._layers),
            targets=placed,
            keys=position_keys([example.pair for example in chosen], counts).to(hidden.device),
            top_ids=none.long() if top_ids is None else top_ids,
            top_log_probs=none if top_log_probs is None else top_log_probs,
            entropy=entropy,
            errors=joined([e.errors for e in chosen]) if self.has_errors else None,
            counts=counts,
            closing=joined([e.closing for e in chosen]),
            missing=joined([e.missing for e in chosen]) if self.has_missing else None,
            missing_known=joined(looked) if self.has_missing else None,
            statistics=statistics,
            errors_known=joined([e.errors_known for e in chosen], otherwise=True)
            if self.has_unsure
            else None,
        )
