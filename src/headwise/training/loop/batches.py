"""Random batches of training examples by number, in a new order every epoch."""

import random
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch.utils.data import DataLoader, Dataset

from headwise.backbones.encodings import length_batches


@runtime_checkable
class EpochSampler(Protocol):
    """A batch sampler that draws anew for every epoch; the same seed gives the same batches."""

    epoch: int

    def set_epoch(self, epoch: int) -> None:
        """Draw the batches of an epoch; the training loop calls this."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[list[int]]: ...


class LengthBatchSampler:
    """Batches of similar length, in a new random composition and order every epoch.

    ``max_tokens`` bounds the padded size of a batch; epoch ``e`` is drawn with ``seed + e``.
    """

    def __init__(self, lengths: Sequence[int], *, max_tokens: int, seed: int) -> None:
        self._lengths, self._max_tokens, self._seed = list(lengths), max_tokens, seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Draw the batches of an epoch."""
        self.epoch = epoch
        generator = random.Random(self._seed + epoch)
        order = list(range(len(self._lengths)))
        # Texts of one length get other neighbours in every epoch
        generator.shuffle(order)
        batches = length_batches([self._lengths[i] for i in order], max_tokens=self._max_tokens)
        # Or else long texts would always come first
        generator.shuffle(batches)
        self._batches = [[order[i] for i in batch] for batch in batches]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self._batches)


class ShuffledBatches:
    """Batches of one size in a new random order every epoch; the last may be smaller.

    Epoch ``e`` is drawn from ``seed + e``.
    """

    def __init__(self, count: int, *, batch_size: int, seed: int) -> None:
        self._count, self._batch_size, self._seed = count, batch_size, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next batches are for."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self._count // self._batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed(self._seed + self.epoch)
        order = torch.randperm(self._count, generator=generator)
        return (batch.tolist() for batch in order.split(self._batch_size))


class Numbers(Dataset[int]):
    """The numbers from 0 on: features are read by them, a batch at a time."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> int:
        return index


class IndexBatches(DataLoader[int]):
    """A loader that hands the epoch on: Trainer looks for it here and not in the batch sampler."""

    def set_epoch(self, epoch: int) -> None:
        """Tell the batch sampler."""
        sampler = self.batch_sampler
        assert isinstance(sampler, EpochSampler)
        sampler.set_epoch(epoch)


def as_batch(indices: list[int]) -> dict[str, Any]:
    """What the trainer is given of a batch."""
    return {"indices": indices}
