"""Which positions a loss counts, with what weight, and how their losses become one number."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

LM_IGNORE_INDEX = -100
"""Target of a position that does not count."""

Reduction = Literal["none", "mean", "sum"]


@dataclass(frozen=True, slots=True)
class CountedPositions:
    """The positions of a batch whose target counts.

    Attributes:
        hidden: All hidden states, ``(N, H)``.
        rows: Which of them count, ``(n,)``; ``None`` for all.
        targets: Their targets, ``(n,)``.
        weights: Their weights, ``(n,)``; ``None`` for 1.
        shape: Of the losses without a reduction.
        shift: Whether the last position of each sequence predicts nothing.
    """

    hidden: Tensor
    rows: Tensor | None
    targets: Tensor
    weights: Tensor | None
    shape: torch.Size
    shift: bool

    @classmethod
    def of(
        cls,
        hidden: Tensor,
        targets: Tensor,
        *,
        vocabulary_size: int,
        ignore_index: int,
        shift: bool,
        token_weights: Tensor | None,
    ) -> "CountedPositions":
        """Flatten a batch, and leave out what does not count; arguments are those of a loss.

        Raises:
            ValueError: If shapes do not fit, or a target is no token.
        """
        if targets.shape != hidden.shape[:-1]:
            raise ValueError(
                f"`hidden` must be (..., H) and `targets` (...), got {tuple(hidden.shape)} and "
                f"{tuple(targets.shape)}."
            )
        if isinstance(ignore_index, bool) or not isinstance(ignore_index, int):
            raise TypeError(f"`ignore_index` must be a whole number, got {ignore_index!r}.")
        if targets.dtype != torch.int64:
            raise ValueError(f"`targets` must be int64, got {targets.dtype}.")
        if token_weights is not None and token_weights.shape != targets.shape:
            raise ValueError(
                f"`token_weights` must have the shape of `targets`, {tuple(targets.shape)}, "
                f"got {tuple(token_weights.shape)}."
            )
        if shift and targets.ndim == 0:
            raise ValueError("`shift` needs sequences: `targets` of shape (..., T).")
        shape = targets.shape
        if shift:
            # Instead of cutting hidden states, which would copy them
            targets = _next(targets, ignore_index, dim=-1)
            if token_weights is not None:
                token_weights = _next(token_weights, 0.0, dim=-1)
            shape = torch.Size((*shape[:-1], max(shape[-1] - 1, 0)))
        flat = targets.reshape(-1)
        counted = flat != ignore_index
        count, low, high = _summary(flat, counted)
        if count and (low < 0 or high >= vocabulary_size):
            raise ValueError(
                f"`targets` must lie in [0, {vocabulary_size}) or be `ignore_index` "
                f"{ignore_index}, got {low if low < 0 else high}."
            )
        rows = None if count == len(flat) else counted.nonzero().squeeze(1)
        # A copy: the caller may refill the tensor before the backward pass
        chosen = flat.clone() if rows is None else flat[rows]
        weights = None if token_weights is None else token_weights.reshape(-1)
        return cls(
            hidden=hidden.reshape(-1, hidden.shape[-1]),
            rows=rows,
            targets=chosen,
            weights=weights if weights is None or rows is None else weights[rows],
            shape=shape,
            shift=shift,
        )

    def __len__(self) -> int:
        """n, how many positions count."""
        return len(self.targets)

    def chosen(self, flat: Tensor) -> Tensor:
        """The entries of the positions that count, ``(N, ...)`` to ``(n, ...)``."""
        return flat if self.rows is None else flat[self.rows]

    def of_targets(self, values: Tensor) -> Tensor:
        """A copy of what belongs to the targets that count, from ``(...)`` or ``(..., A)``."""
        dims = len(self.shape)
        if self.shift:
            values = _next(values, 0.0, dim=dims - 1)
        flat = values.flatten(0, dims - 1) if dims else values.unsqueeze(0)
        return flat.clone() if self.rows is None else flat[self.rows]

    def scales(self, reduction: Reduction, *, dtype: torch.dtype) -> Tensor:
        """Factors on the losses whose sum is the reduced loss, ``(n,)``."""
        if self.weights is None:
            factor = 1.0 / max(len(self), 1) if reduction == "mean" else 1.0
            return self.hidden.new_full((len(self),), factor, dtype=dtype)
        weights = self.weights.to(dtype)
        if reduction == "sum":
            return weights
        total = weights.sum()
        return weights / torch.where(total == 0.0, 1.0, total)

    def reduced(self, losses: Tensor, reduction: Reduction) -> Tensor:
        """Losses ``(n,)`` of the positions that count as a scalar, or in the batch's shape."""
        if reduction == "none":
            weighted = losses if self.weights is None else losses * self.weights.to(losses.dtype)
            return self.in_shape(weighted)
        return (losses * self.scales(reduction, dtype=losses.dtype)).sum()

    def in_shape(self, values: Tensor) -> Tensor:
        """Values ``(n,)`` in the batch's shape, with 0 where nothing counts."""
        if self.rows is not None:
            values = values.new_zeros(len(self.hidden)).index_put((self.rows,), values)
        if self.shift and self.shape[-1]:
            return values.view(*self.shape[:-1], self.shape[-1] + 1)[..., :-1]
        return values.view(self.shape) if not self.shift else values[:0].view(self.shape)


def check_reduction(reduction: str) -> None:
    """Refuse what is no reduction (`ValueError`)."""
    if reduction not in get_args(Reduction):
        names = ", ".join(map(repr, get_args(Reduction)))
        raise ValueError(f"`reduction` must be one of {names}, got {reduction!r}.")


def _summary(targets: Tensor, counted: Tensor) -> list[int]:
    """How many targets count, the least and the largest of them; waits for the device once."""
    if not len(targets):
        return [0, 0, 0]
    # Those that do not count may be anything
    low = targets.where(counted, torch.iinfo(torch.int64).max).amin()
    high = targets.where(counted, torch.iinfo(torch.int64).min).amax()
    found: list[int] = torch.stack([counted.sum(), low, high]).tolist()
    return found


def _next(values: Tensor, last: float, *, dim: int) -> Tensor:
    """Each position gets the value of the next, and the last one a given value."""
    following = values.narrow(dim, min(1, values.shape[dim]), max(values.shape[dim] - 1, 0))
    end = values.narrow(dim, 0, min(1, values.shape[dim]))
    return torch.cat([following, torch.full_like(end, last)], dim=dim)
