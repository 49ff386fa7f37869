"""A vocabulary that several processes share: each holds the rows of a slice."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist

from headwise.functional.vocabulary_blocks import join_slices


@dataclass(frozen=True, slots=True)
class VocabularySlice:
    """The slice of one process; slices follow one another in the order of the ranks.

    Attributes:
        start: Id of the slice's first token.
        size: How many tokens the slice has; 0 is allowed.
        total: V, how many all slices have together.
        largest: How many the largest slice has.
    """

    start: int
    size: int
    total: int
    largest: int
    group: dist.ProcessGroup

    @classmethod
    def of(
        cls, size: int, *, call: Sequence[int], group: dist.ProcessGroup, device: torch.device
    ) -> "VocabularySlice":
        """Tell the other processes the size of this one's slice, and hear of theirs.

        All processes of the group must call, with the same numbers as ``call``; ``device`` is where
        tensors must be to be sent.

        Raises:
            ValueError: On every process, if the numbers differ: the exchanges of chunks would
                wait for each other for ever.
        """
        everyone = _gathered(torch.tensor([size, *call], device=device), group)
        if bool((everyone[:, 1:] != everyone[0, 1:]).any()):
            raise ValueError(
                "All processes of `process_group` must call with the same `hidden`, `targets` and "
                f"options; these differ between the ranks, by rank: {everyone[:, 1:].tolist()} "
                "(shape of `hidden`, sum of `targets`, options)."
            )
        sizes, rank = everyone[:, 0].tolist(), dist.get_rank(group)
        return cls(
            start=sum(sizes[:rank]), size=size, total=sum(sizes), largest=max(sizes), group=group
        )

    def local(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Columns of tokens in this slice, 0 for those of another, and whether they are here."""
        here = (ids >= self.start) & (ids < self.start + self.size)
        return torch.where(here, ids - self.start, 0), here

    def joined(
        self, normaliser: Tensor, target: Tensor, total: Tensor | None, entropy: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        """Statistics of the whole vocabulary from those of the slices, in one exchange.

        All are ``(n,)``: the log-sum-exp of the slice's logits, the target's logit, which is 0 in
        slices that do not hold it, and, if wanted, the sum of the slice's logits and the entropy of
        the softmax over the slice alone.
        """
        own = [normaliser, target, *(x for x in (total, entropy) if x is not None)]
        each = _gathered(torch.stack(own), self.group)  # (ranks, columns, n)
        whole, entropy = join_slices(each[:, 0], None if entropy is None else each[:, -1])
        return whole, each[:, 1].sum(0), None if total is None else each[:, 2].sum(0), entropy

    def summed(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        dist.all_reduce(tensor, group=self.group)
        return tensor


def _gathered(tensor: Tensor, group: dist.ProcessGroup) -> Tensor:
    pieces = [torch.empty_like(tensor) for _ in range(dist.get_world_size(group))]
    dist.all_gather(pieces, tensor.contiguous(), group=group)
    return torch.stack(pieces)
