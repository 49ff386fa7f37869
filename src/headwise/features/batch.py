"""What training reads of a batch, and the interface of everything that gives it, whole or part."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from headwise.backbones import Backbone

# No hypothesis has as many tokens; a position's key is its pair's number and its place in it
_PLACES = 1 << 24
# Examples whose targets are counted at a time
_WINDOW = 256


@dataclass(frozen=True, slots=True)
class FeatureBatch:
    """What a frozen language model knows about the N target positions of a batch.

    Attributes:
        hidden: Hidden states that predict the targets, ``(N, H)``, floating point; of several
            layers side by side.
        targets: Token ids, ``(N,)``, int64.
        keys: Numbers that name the positions, ``(N,)``, int64, for noise that does not depend
            on how they were put into batches.
        top_ids: The most probable tokens, best first, ``(N, M)``, int64.
        top_log_probs: Their log-probabilities, ``(N, M)``, float32.
        entropy: Entropy of the whole distribution in nats, ``(N,)``, float32; ``None`` if nothing
            was asked for that the whole vocabulary is needed for.
        errors: Which targets were marked as wrong, ``(N,)``, bool; ``None`` if nobody looked.
        counts: Positions of each example, in order; together N.
        closing: Which targets close their text, ``(N,)``, bool; they stand for none of it.
        missing: Before which targets something is missing, ``(N,)``, bool; ``None`` if nobody
            looked.
        missing_known: For which targets that is known, ``(N,)``, bool; ``None`` with ``missing``.
        statistics: Log-probability of the target, entropy in nats and logarithm of the target's
            rank, ``(N, 3)``, float32; ``None`` if not asked for.
        errors_known: For which targets ``errors`` say what they are, ``(N,)``, bool; ``None`` if
            they do for all.
    """

    hidden: Tensor
    targets: Tensor
    keys: Tensor
    top_ids: Tensor
    top_log_probs: Tensor
    entropy: Tensor | None
    errors: Tensor | None
    counts: tuple[int, ...]
    closing: Tensor
    missing: Tensor | None = None
    missing_known: Tensor | None = None
    statistics: Tensor | None = None
    errors_known: Tensor | None = None

    def __len__(self) -> int:
        """N."""
        return len(self.targets)

    def to(self, device: torch.device) -> Self:
        """The same batch on a device.

        Args:
            device: Where its tensors go.
        """
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        moved: dict[str, Any] = {n: v.to(device) for n, v in own.items() if isinstance(v, Tensor)}
        return replace(self, **moved)


class FeatureSource(Protocol):
    """Examples whose features can be had, computed on the spot or read from a cache."""

    @property
    def pairs(self) -> Sequence[int]:
        """Number of each example's pair among all pairs of the data."""

    @property
    def lengths(self) -> Sequence[int]:
        """Tokens that the model reads for each example; batches are composed by them."""

    @property
    def counts(self) -> Sequence[int]:
        """Target positions of each example."""

    @property
    def has_errors(self) -> bool:
        """Whether any example carries error marks."""

    @property
    def has_missing(self) -> bool:
        """Whether of any example it is known where something is missing."""

    def target_counts(self, vocabulary_size: int) -> Tensor:
        """How often each token is a target, ``(V,)``, float32, on the CPU.

        Args:
            vocabulary_size: V.
        """

    def batch(self, indices: Sequence[int]) -> FeatureBatch:
        """Features of some examples, their positions one after another.

        Args:
            indices: Numbers of examples, from 0.
        """


class SelectedFeatures:
    """Some examples of a source, in the given order, as a source of their own.

    The same example may come more than once; the source must have all of them.

    Args:
        source: Where features come from.
        indices: Numbers of its examples.
    """

    def __init__(self, source: FeatureSource, indices: Sequence[int]) -> None:
        self._source, self._indices = source, list(indices)
        self.pairs = [source.pairs[i] for i in self._indices]
        self.lengths = [source.lengths[i] for i in self._indices]
        self.counts = [source.counts[i] for i in self._indices]
        self.has_errors, self.has_missing = source.has_errors, source.has_missing

    def target_counts(self, vocabulary_size: int) -> Tensor:
        """How often each token is a target, ``(V,)``, float32; reads all features once.

        Args:
            vocabulary_size: V.
        """
        total = torch.zeros(vocabulary_size, dtype=torch.int64)
        for first in range(0, len(self._indices), _WINDOW):
            window = range(first, min(first + _WINDOW, len(self._indices)))
            targets = self.batch(window).targets.cpu()
            total += torch.bincount(targets, minlength=vocabulary_size)
        return total.float()

    def batch(self, indices: Sequence[int]) -> FeatureBatch:
        """Features of some of these examples.

        Args:
            indices: Numbers of examples of this selection, from 0.
        """
        return self._source.batch([self._indices[i] for i in indices])


class LayerFeatures:
    """A source whose hidden states are those of some of its layers."""

    def __init__(
        self, source: FeatureSource, backbone: Backbone, given: Sequence[int], wanted: Sequence[int]
    ) -> None:
        self._source, self._backbone = source, backbone
        self._given, self._wanted = tuple(given), tuple(wanted)
        self.pairs, self.lengths, self.counts = source.pairs, source.lengths, source.counts
        self.has_errors, self.has_missing = source.has_errors, source.has_missing
        self.target_counts = source.target_counts

    def batch(self, indices: Sequence[int]) -> FeatureBatch:
        """Features of some examples."""
        batch = self._source.batch(indices)
        hidden = self._backbone.of_layers(batch.hidden, self._given, self._wanted)
        return replace(batch, hidden=hidden)


def consecutive(starts: Tensor, counts: Tensor) -> Tensor:
    """Runs of whole numbers one after another, ``(N,)``, from their starts and counts ``(n,)``."""
    before = counts.cumsum(0) - counts
    return torch.arange(int(counts.sum())) + (starts - before).repeat_interleave(counts)


def position_keys(pairs: Sequence[int], counts: Sequence[int]) -> Tensor:
    """Keys of the positions of some pairs, ``(N,)``, int64."""
    return consecutive(torch.tensor(pairs) * _PLACES, torch.tensor(counts))


def pair_numbers(keys: Tensor) -> Tensor:
    """The numbers of the pairs that positions belong to, ``(N,)``, from their keys ``(N,)``."""
    return keys // _PLACES
