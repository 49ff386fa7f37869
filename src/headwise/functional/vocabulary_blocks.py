"""Logits read a block of the vocabulary at a time, while a processor's caches hold them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from headwise.functional.logit_chunks import ChunkPlan, LogitFunction, Slabs

# Measured on two cores with AVX2, of 262,144 tokens: a product of some hundred positions with so
# many tokens is up to twice as fast as one of fifty positions with all of them, which has the whole
# weight pass through the memory for each fifty, and what reads its result finds it in the cache
_BLOCK_TOKENS, _BLOCK_LOGITS, _BLOCK_BYTES, _POSITIONS = 512, 2**18, 4 * 2**20, 1024
# Rows that lie a power of two apart would share a few lines of the cache
_GAP = 16


@runtime_checkable
class BlockLogits(Protocol):
    """An output layer whose logits can be had a block of the vocabulary at a time."""

    @property
    def reads_by_block(self) -> bool:
        """Whether that is faster than whole rows, where this output layer is."""
        ...

    def blocks(
        self, hidden: Tensor, *, width: int, out: Tensor | None = None
    ) -> Iterator[tuple[slice, Tensor]]:
        """Logits of ``width`` tokens at a time, in order: their ids, and ``(n, width)``, float32.

        The last block may be smaller. The next one overwrites it, unless ``out``, ``(n, V)``,
        float32, is there to keep them all.
        """
        ...


def block_width(
    positions: int, *, vocabulary_size: int, hidden_size: int, workspace_bytes: int
) -> int:
    """How many tokens a block has: more, the fewer the positions that are read together.

    Their logits, and their rows of the unembedding in float32, stay in a cache.
    """
    of_rows = min(_BLOCK_BYTES, workspace_bytes // 8) // max(1, 4 * hidden_size)
    of_logits = max(_BLOCK_TOKENS, _BLOCK_LOGITS // max(1, positions))
    width = max(1, min(of_rows, of_logits))
    # A power of two, so that every row begins where a processor's vectors do
    return min(1 << (width.bit_length() - 1), max(1, vocabulary_size))


def join_slices(
    normalisers: Tensor, entropies: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Log-sum-exp and entropy over a whole vocabulary from those of its B slices.

    Args:
        normalisers: Log-sum-exp of each slice's logits, ``(B, n)``.
        entropies: Entropy of the softmax over each slice alone, ``(B, n)``; ``None`` for none.

    Returns:
        Both over all slices, ``(n,)``.
    """
    whole = normalisers.logsumexp(0)
    if entropies is None:
        return whole, None
    # -sum p log p splits into what each slice has of the mass, and its own entropy
    share = (normalisers - whole).exp()
    surprise = (whole - normalisers + entropies).masked_fill(share == 0.0, 0.0)
    return whole, (share * surprise).sum(0)


@dataclass(frozen=True, slots=True)
class LogitSums:
    """What is known of a position's logits once all blocks are read, each ``(n,)``, float32.

    Attributes:
        target: The target's logit.
        normaliser: Log-sum-exp.
        entropy: Entropy of the softmax in nats, or ``None``.
    """

    target: Tensor
    normaliser: Tensor
    entropy: Tensor | None


class LogitReader:
    """Builds the logits of some positions at a time, and sums over them while they are fresh.

    An output layer that is faster so is read block by block (:class:`BlockLogits`).

    Args:
        unembedding: The output layer.
        hidden: Hidden states of all positions, ``(N, H)``.
        keeps_rows: Whether whole rows ``(n, V)`` are wanted, not only sums over them.
        candidates: How many of the most probable tokens will be kept of each position.
        workspace_bytes: Bound on the memory held beyond inputs and results.

    Attributes:
        plan: Which positions to read together.
        slabs: Room for reading whole rows.

    Raises:
        ValueError: If one position does not fit into the workspace.
    """

    def __init__(
        self,
        unembedding: LogitFunction,
        hidden: Tensor,
        *,
        keeps_rows: bool,
        candidates: int,
        workspace_bytes: int,
    ) -> None:
        self._unembedding, self._hidden, self._keeps_rows = unembedding, hidden, keeps_rows
        self._blocks: BlockLogits | None = None
        self._kept: Tensor | None = None
        size, width = unembedding.vocabulary_size, hidden.shape[1]
        # For each of the most probable tokens its id, its probability, and what picking the
        # dominant ones takes on the way
        row_bytes, fixed_bytes = 48 * candidates + 64, 0
        if isinstance(unembedding, BlockLogits) and unembedding.reads_by_block:
            self._blocks = unembedding
            self._width = block_width(
                min(len(hidden), _POSITIONS),
                vocabulary_size=size,
                hidden_size=width,
                workspace_bytes=workspace_bytes,
            )
            # A block's product, its logits, what summing takes on the way, and its sums
            row_bytes += (2 + 3 * 4) * self._width + 4 * width + 8 * -(-size // self._width)
            row_bytes += 4 * (size + _GAP) if keeps_rows else 0
            fixed_bytes = 4 * self._width * width
        else:
            # The logits in the model's dtype and in float32 (or, on processors, as much again
            # that the product holds), with a little to spare
            row_bytes += size * (hidden.element_size() + 5)
        self.plan = ChunkPlan.of(
            len(hidden),
            row_bytes=row_bytes,
            temporary_bytes=2 * 4 * size if keeps_rows or self._blocks is None else 0,
            fixed_bytes=fixed_bytes,
            device=hidden.device,
            workspace_bytes=workspace_bytes,
            most=None if self._blocks is None else _POSITIONS,
        )
        self.slabs = Slabs(room=2)
        self._fresh = self.slabs if self._blocks is None else Slabs(room=2, count=1)

    def read(self, part: slice, targets: Tensor, *, entropy: bool) -> tuple[Tensor, LogitSums]:
        """Whole rows of logits of a part's n positions, and sums over them.

        The rows, ``(n, V)``, float32, are overwritten by the next part; unless they are kept, they
        are ``(n, 0)`` where the logits were read block by block. ``targets`` are the part's own.
        """
        hidden = self._hidden[part]
        if self._blocks is None:
            rows = self._unembedding(hidden).float()
            return rows, self._sums([(slice(0, rows.shape[1]), rows)], targets, entropy)
        kept = self._room(len(hidden)) if self._keeps_rows else None
        blocks = self._blocks.blocks(hidden, width=self._width, out=kept)
        sums = self._sums(blocks, targets, entropy)
        return sums.target.new_empty(len(hidden), 0) if kept is None else kept, sums

    def _sums(
        self, blocks: Iterable[tuple[slice, Tensor]], targets: Tensor, entropy: bool
    ) -> LogitSums:
        own = torch.zeros(targets.shape, device=targets.device)
        normalisers, entropies = [], []
        for columns, logits in blocks:
            normalisers.append(self._fresh.log_normaliser(logits))
            if entropy:
                entropies.append(self._fresh.entropy(logits, normalisers[-1]))
            places = targets - columns.start
            here = (places >= 0) & (places < logits.shape[1])
            found = logits.gather(1, places.clamp(0, logits.shape[1] - 1).unsqueeze(1))
            own = torch.where(here, found.squeeze(1), own)
        return LogitSums(
            own,
            *join_slices(torch.stack(normalisers), torch.stack(entropies) if entropy else None),
        )

    def _room(self, positions: int) -> Tensor:
        size = self._unembedding.vocabulary_size
        if self._kept is None:
            self._kept = torch.empty(self.plan.rows, size + _GAP)
        return self._kept[:positions, :size]
