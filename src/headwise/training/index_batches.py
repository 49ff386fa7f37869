"""Batches of the numbers of examples, which stand for the examples."""

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from torch.utils.data import DataLoader, Dataset


@runtime_checkable
class EpochSampler(Protocol):
    """A batch sampler that draws anew for every epoch."""

    epoch: int

    def set_epoch(self, epoch: int) -> None:
        """Draw the batches of an epoch."""
        ...


class Numbers(Dataset[int]):
    """The numbers from 0 on.

    Args:
        count: How many.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        """How many."""
        return self._count

    def __getitem__(self, index: int) -> int:
        """The number itself."""
        return index


class ShuffledBatches:
    """Batches of one size in a new random order every epoch; the last may be smaller.

    Args:
        count: How many examples there are.
        batch_size: Examples in a batch.
        seed: Of the first epoch; epoch ``e`` has ``seed + e``.
    """

    def __init__(self, count: int, *, batch_size: int, seed: int) -> None:
        self._count, self._batch_size, self._seed = count, batch_size, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next batches are for."""
        self.epoch = epoch

    def __len__(self) -> int:
        """How many batches an epoch has."""
        return -(-self._count // self._batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        """The batches of the epoch."""
        generator = torch.Generator().manual_seed(self._seed + self.epoch)
        order = torch.randperm(self._count, generator=generator)
        return (batch.tolist() for batch in order.split(self._batch_size))


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
