"""Group items of similar length into batches under a token budget."""

import random
from collections.abc import Iterator, Sequence


def length_batches(lengths: Sequence[int], *, max_tokens: int) -> list[list[int]]:
    """Split items into batches of similar length whose padded size stays under a budget.

    Args:
        lengths: Number of tokens of each item.
        max_tokens: Upper bound of ``items * longest item`` in one batch. An item that is longer
            than the budget on its own gets a batch of its own.

    Returns:
        Batches of indices into ``lengths``, longest items first, so that a batch that does not
        fit into memory fails at once. Every index stands in exactly one batch.

    Raises:
        ValueError: If ``max_tokens`` is less than 1.
    """
    if max_tokens < 1:
        raise ValueError(f"`max_tokens` must be at least 1, got {max_tokens}.")
    batches: list[list[int]] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not batches or (len(batches[-1]) + 1) * longest > max_tokens:
            batches.append([])
            longest = max(lengths[index], 1)
        batches[-1].append(index)
    return batches


class LengthBatchSampler:
    """Batches of similar length, in a new random composition and order every epoch.

    A batch sampler for `torch.utils.data.DataLoader`; the same seed gives the same batches.

    Args:
        lengths: Number of tokens of each item.
        max_tokens: Bound on the padded size of a batch.
        seed: Of the first epoch; epoch ``e`` has ``seed + e``.
    """

    def __init__(self, lengths: Sequence[int], *, max_tokens: int, seed: int) -> None:
        self._lengths, self._max_tokens, self._seed = list(lengths), max_tokens, seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Draw the batches of an epoch; the training loop calls this."""
        self.epoch = epoch
        generator = random.Random(self._seed + epoch)
        order = list(range(len(self._lengths)))
        generator.shuffle(order)
        batches = length_batches([self._lengths[i] for i in order], max_tokens=self._max_tokens)
        generator.shuffle(batches)
        self._batches = [[order[i] for i in batch] for batch in batches]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self._batches)
