"""Random batches of similar length under a token budget."""

import random
from collections.abc import Iterator, Sequence

from headwise.functional.length_batches import length_batches


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
