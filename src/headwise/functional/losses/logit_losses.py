"""What a loss over the whole vocabulary does with the logits of a few positions."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from headwise.functional.logit_chunks import Slabs, finite, soft_cap_
from headwise.functional.losses.vocabulary_slices import VocabularySlice


class LogitLoss(Protocol):
    """A loss and its derivative over logits ``(n, V)``, of the positions of one chunk.

    Column 0 of the values is the loss; others are statistics that were asked for.
    """

    @property
    def temporaries(self) -> int:
        """How many tensors of a slab's size the loss needs at once."""
        ...

    @property
    def columns(self) -> int:
        """C, how many values a position has."""
        ...

    def prepare_(self, logits: Tensor, part: slice) -> None:
        """Change in place what enters the loss as something else; comes before the others."""
        ...

    def values(self, logits: Tensor, part: slice, slabs: Slabs) -> Tensor:
        """Values of each position, ``(n, C)``; leaves the logits as they are."""
        ...

    def gradient_(
        self, logits: Tensor, part: slice, values: Tensor, upstream: Tensor, slabs: Slabs
    ) -> None:
        """Overwrite the logits ``(n, V)`` that `prepare_` left with their gradient.

        ``values`` are what `values` returned for this part, and ``upstream`` is their gradient,
        both ``(n, C)``; the slabs have room for `temporaries` tensors.
        """
        ...


@dataclass(frozen=True, slots=True)
class SoftmaxLoss:
    """Cross-entropy of the softmax, with what large models add to it.

    With Z the log-sum-exp of the logits l and S the label smoothing,
    ``loss = Z - (1 - S) * l_y - S * mean(l) + z_loss * Z**2``.

    Attributes:
        targets: Ids of the targets, ``(n,)``, int64.
        softcap: Bound c on the logits, ``l = c * tanh(z / c)``; ``None`` for none.
        label_smoothing: S, in [0, 1].
        z_loss: Weight of the squared log-sum-exp.
        with_entropy: Whether the values hold the entropy in a third column, after the
            log-sum-exp.
        vocabulary: Which slice of the vocabulary the logits are of; ``None`` for all of it.

    References:
        Szegedy et al. 2016, arXiv 1512.00567, section 7 (label smoothing);
        Chowdhery et al. 2022, arXiv 2204.02311, section 5 (z-loss);
        Gemma Team 2024, arXiv 2408.00118, section 2 (soft-cap).
    """

    targets: Tensor
    softcap: float | None = None
    label_smoothing: float = 0.0
    z_loss: float = 0.0
    with_entropy: bool = False
    vocabulary: VocabularySlice | None = None
    temporaries: ClassVar[int] = 2

    @property
    def columns(self) -> int:
        """Loss, log-sum-exp, and entropy if it is asked for."""
        return 3 if self.with_entropy else 2

    def prepare_(self, logits: Tensor, part: slice) -> None:  # noqa: ARG002 - others need it
        """Apply the soft-cap."""
        if self.softcap is not None:
            soft_cap_(logits, self.softcap)

    def values(self, logits: Tensor, part: slice, slabs: Slabs) -> Tensor:
        """Loss, log-sum-exp and entropy."""
        ids, owned = self._own(part)
        target = logits.gather(1, ids).squeeze(1) if logits.shape[1] else logits.new_zeros(len(ids))
        target = target if owned is None else target.masked_fill(~owned.squeeze(1), 0.0)
        normaliser = slabs.log_normaliser(logits)
        total = logits.sum(-1) if self.label_smoothing else None
        information = slabs.entropy(logits, normaliser) if self.with_entropy else None
        size = logits.shape[1]
        if self.vocabulary is not None:
            size = self.vocabulary.total
            normaliser, target, total, information = self.vocabulary.joined(
                normaliser, target, total, information
            )
        loss = normaliser - (1.0 - self.label_smoothing) * target
        if total is not None:
            loss -= self.label_smoothing / size * total
        if self.z_loss:
            loss += self.z_loss * normaliser.square()
        columns = [loss, normaliser]
        return torch.stack(columns if information is None else [*columns, information], dim=1)

    def gradient_(
        self, logits: Tensor, part: slice, values: Tensor, upstream: Tensor, slabs: Slabs
    ) -> None:
        """Overwrite the logits with their gradient."""
        ids, owned = self._own(part)
        normaliser, for_loss = values[:, 1:2], upstream[:, :1]
        # Both the loss and the statistic lean on the log-sum-exp, whose derivative is p
        for_normaliser = for_loss * (1.0 + 2.0 * self.z_loss * normaliser) + upstream[:, 1:2]
        for_target = (self.label_smoothing - 1.0) * for_loss
        if owned is not None:
            for_target = for_target * owned
        size = logits.shape[1] if self.vocabulary is None else self.vocabulary.total
        for slab, (first, second) in slabs(logits):
            rows = logits[slab]
            slope = None
            if self.softcap is not None:
                slope = torch.div(rows, self.softcap, out=first).square_().neg_().add_(1.0)
            rows.sub_(normaliser[slab])  # log p
            if self.with_entropy:
                # The entropy's derivative is -p * (log p + entropy)
                probabilities = torch.exp(finite(rows), out=second)
                rows.add_(values[slab, 2:]).mul_(-upstream[slab, 2:]).add_(for_normaliser[slab])
                rows.mul_(probabilities)
            else:
                rows.exp_().mul_(for_normaliser[slab])
            if self.label_smoothing:
                rows.sub_(for_loss[slab] * (self.label_smoothing / size))
            if logits.shape[1]:
                rows.scatter_add_(1, ids[slab], for_target[slab])
            if slope is not None:
                rows.mul_(slope)

    def _own(self, part: slice) -> tuple[Tensor, Tensor | None]:
        """Columns of the chunk's targets, ``(n, 1)``, and whether they are in this slice."""
        ids = self.targets[part].unsqueeze(1)
        return (ids, None) if self.vocabulary is None else self.vocabulary.local(ids)


@dataclass(frozen=True, slots=True)
class SigmoidLoss:
    """Binary cross-entropy of each target and of all other tokens as negatives.

    ``loss = w * softplus(-z_y) + sum over v of softplus(z_v)``, where v is neither the target
    nor excluded.

    Attributes:
        targets: Ids of the targets, ``(n,)``, int64.
        target_weights: w, ``(n,)``; ``None`` for 1.
        excluded: Tokens that are no negatives, ``(n, A)``, int64, -1 for none; ``None`` if no
            position excludes any.
    """

    targets: Tensor
    target_weights: Tensor | None = None
    excluded: Tensor | None = None
    temporaries: ClassVar[int] = 1
    columns: ClassVar[int] = 1

    def prepare_(self, logits: Tensor, part: slice) -> None:
        """Put minus infinity at excluded tokens, and the target's logit back among them."""
        if self.excluded is not None:
            ids, excluded = self.targets[part].unsqueeze(1), self.excluded[part]
            target = logits.gather(1, ids)
            logits.scatter_(1, torch.where(excluded < 0, ids, excluded), -torch.inf)
            logits.scatter_(1, ids, target)

    def values(self, logits: Tensor, part: slice, slabs: Slabs) -> Tensor:
        """The loss."""
        ids = self.targets[part].unsqueeze(1)
        target = logits.gather(1, ids)
        # Taken out rather than subtracted: a sure target would drown the negatives
        logits.scatter_(1, ids, -torch.inf)
        losses = self._weights(part, target) * F.softplus(-target)
        for slab, (scratch,) in slabs(logits):
            # softplus(z) = max(z, 0) + log(1 + exp(-|z|))
            losses[slab] += torch.clamp(logits[slab], min=0.0, out=scratch).sum(-1, keepdim=True)
            torch.abs(logits[slab], out=scratch).neg_().exp_().log1p_()
            losses[slab] += scratch.sum(-1, keepdim=True)
        logits.scatter_(1, ids, target)
        return losses

    def gradient_(
        self,
        logits: Tensor,
        part: slice,
        values: Tensor,
        upstream: Tensor,
        slabs: Slabs,  # noqa: ARG002 - others need it
    ) -> None:
        """Overwrite the logits with their gradient."""
        ids = self.targets[part].unsqueeze(1)
        target = -self._weights(part, values) * torch.sigmoid(-logits.gather(1, ids)) * upstream
        logits.sigmoid_().mul_(upstream)
        logits.scatter_(1, ids, target)

    def _weights(self, part: slice, like: Tensor) -> Tensor:
        if self.target_weights is None:
            return like.new_ones(())
        return self.target_weights[part].unsqueeze(1).to(like.dtype)
