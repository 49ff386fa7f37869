"""The one place where logits are built: those of a few positions at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from headwise.functional.chunking import row_chunks

Result = TypeVar("Result")

# A chunk is read in this many slabs: what an operation makes on the way then stays small, on a
# processor small enough for its cache; elsewhere each slab costs launches
_SLABS_ON_CPU, _SLABS_ELSEWHERE = 16, 4

# The exponential of anything near it is 0, and it can still be added and multiplied
_NO_MASS = -1e20


class LogitFunction(Protocol):
    """Turns hidden states ``(n, H)`` into a new tensor of logits ``(n, V)``."""

    @property
    def vocabulary_size(self) -> int:
        """V."""
        ...

    def __call__(self, hidden: Tensor) -> Tensor:
        """Logits, ``(n, V)``; the caller may overwrite them."""
        ...


@dataclass(frozen=True, slots=True)
class ChunkPlan:
    """Which positions' logits live together: slices in order that cover all positions."""

    parts: tuple[slice, ...]

    @property
    def rows(self) -> int:
        """Positions of the largest chunk."""
        return max((part.stop - part.start for part in self.parts), default=0)

    @classmethod
    def of(
        cls,
        rows: int,
        *,
        row_bytes: int,
        temporary_bytes: int,
        device: torch.device,
        fixed_bytes: int = 0,
        workspace_bytes: int,
        most: int | None = None,
    ) -> "ChunkPlan":
        """Plan chunks that fit into a byte budget.

        A position holds ``row_bytes`` as long as its chunk lives, and ``temporary_bytes`` besides
        while its slab is read; ``fixed_bytes`` are held whatever the number of positions. No chunk
        has more than ``most``.

        Raises:
            ValueError: If not even one position fits.
        """
        parts = row_chunks(
            rows,
            # A chunk of n positions has slabs of at most n / slabs + 1
            bytes_per_row=row_bytes + -(-temporary_bytes // _slab_count(device)),
            fixed_bytes=fixed_bytes + temporary_bytes,
            workspace_bytes=workspace_bytes,
            most=most,
        )
        return cls(tuple(parts))


def over_logits(
    work: Callable[[slice, Tensor], Result],
    logits_of: Callable[[slice], Tensor],
    plan: ChunkPlan,
) -> list[Result]:
    """Build the logits of each chunk, hand them over, and let them go before the next chunk.

    ``work`` gets the chunk's positions and its logits, ``(n, V)``, which it may overwrite.
    """
    return [work(part, logits_of(part)) for part in plan.parts]


class Slabs:
    """A chunk's rows a few at a time, with room for what operations make on the way.

    The ``room``, for so many tensors of a slab's size, is taken once: thousands of short-lived
    tensors of a few megabytes would leave holes in a processor's memory that add up to more than a
    chunk. Rows are cut into ``count`` slabs, by default as many as suit chunks of whole rows.
    """

    def __init__(self, room: int, count: int | None = None) -> None:
        self._room, self._count = room, count
        self._scratch: Tensor | None = None

    def __call__(self, logits: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """Slabs of logits ``(n, V)`` and their scratch, ``(room, rows, V)``, values undefined."""
        rows, size = logits.shape
        step = max(1, -(-rows // (self._count or _slab_count(logits.device))))
        scratch = self._scratch
        if scratch is None or scratch.shape[1] < step or scratch.shape[2] != size:
            scratch = self._scratch = None  # before there is another one
            scratch = self._scratch = logits.new_empty(self._room, step, size)
        for start in range(0, rows, step):
            slab = slice(start, min(start + step, rows))
            yield slab, scratch[:, : slab.stop - start]

    def log_normaliser(self, logits: Tensor) -> Tensor:
        """Log-sum-exp of each row, ``(n, V)`` to ``(n,)``; needs room for one."""
        result = logits.new_full((len(logits),), -torch.inf)
        if logits.shape[1] == 0:
            return result
        for slab, (scratch, *_) in self(logits):
            rows = logits[slab]
            top = rows.amax(-1, keepdim=True)
            # Where all are minus infinity, so is the result
            top = torch.where(top.isinf(), 0.0, top)
            powers = torch.sub(rows, top, out=scratch).exp_()
            result[slab] = powers.sum(-1).log_().add_(top.squeeze(-1))
        return result

    def entropy(self, logits: Tensor, normaliser: Tensor) -> Tensor:
        """Entropy of each row's softmax in nats, ``(n,)``; needs room for two.

        Logits ``(n, V)`` may be minus infinity; ``normaliser`` is their log-sum-exp, ``(n,)``.
        """
        result = logits.new_empty(len(logits))
        for slab, (log_probs, probs, *_) in self(logits):
            finite(torch.sub(logits[slab], normaliser[slab, None], out=log_probs))
            torch.exp(log_probs, out=probs)
            result[slab] = probs.mul_(log_probs).sum(-1).neg_()
        return result

    def ranks(self, logits: Tensor, own: Tensor) -> Tensor:
        """One more than how many logits ``(n, V)`` of each row exceed its own ``(n, 1)``, int64.

        Needs room for one.
        """
        # Counted in the logits' float32, which holds whole numbers up to 2**24
        result = torch.empty(len(logits), dtype=torch.int64, device=logits.device)
        for slab, (scratch, *_) in self(logits):
            result[slab] = torch.gt(logits[slab], own[slab], out=scratch).sum(-1).long() + 1
        return result

    def largest(self, logits: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """The largest of each row, falling, and their columns, ``(n, V)`` to twice ``(n, count)``.

        Among equal logits any may come first; needs room for one.
        """
        values = logits.new_empty(len(logits), count)
        columns = torch.empty(len(logits), count, dtype=torch.int64, device=logits.device)
        for slab, _ in self(logits):
            values[slab], columns[slab] = _largest(logits[slab], count)
        return values, columns


def _largest(logits: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """``torch.topk``, in wide rows of those groups of columns alone that have the largest maxima.

    No other group can hold one of the ``count`` largest.
    """
    size = logits.shape[1]
    if not 0 < 100 * count <= size:  # measured: below, topk itself is as fast
        return torch.topk(logits, count, dim=-1)
    members = int((size / count) ** 0.5)
    groups = size // members
    # Column c is in group c modulo `groups`, so that maxima are taken of rows side by side
    maxima = logits[:, : members * groups].unflatten(-1, (members, groups)).amax(1)
    steps = torch.arange(0, members * groups, groups, device=logits.device)
    chosen = (maxima.topk(count, dim=-1, sorted=False).indices.unsqueeze(-1) + steps).flatten(1)
    rest = torch.arange(members * groups, size, device=logits.device).expand(len(logits), -1)
    columns = torch.cat([chosen, rest], dim=1)
    values, places = logits.gather(1, columns).topk(count, dim=-1)
    return values, columns.gather(1, places)


def _slab_count(device: torch.device) -> int:
    return _SLABS_ON_CPU if device.type == "cpu" else _SLABS_ELSEWHERE


def soft_cap_(logits: Tensor, cap: float) -> Tensor:
    """Bound logits in place, ``cap * tanh(z / cap)``.

    References:
        Gemma Team 2024, arXiv 2408.00118, section 2.
    """
    return logits.div_(cap).tanh_().mul_(cap)


def finite(log_probs: Tensor) -> Tensor:
    """Lift what stands for no probability at all, in place: 0 times infinity is no number."""
    return log_probs.clamp_(min=_NO_MASS)
