"""What a quality head learns: its target token from tokens that are wrong at the same place."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from headwise.features import FeatureBatch
from headwise.functional import LM_IGNORE_INDEX, DominantSelector, linear_sigmoid_cross_entropy
from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES, row_chunks
from headwise.functional.dominant_tokens import select_dominant
from headwise.heads import QualityHead, RescalingHead
from headwise.training.sigmoid.objective_settings import Objective

# Of the dominant tokens besides the target, how many the ranking loss compares it with
_RIVALS = 8


def avoided_tokens(batch: FeatureBatch, avoid: DominantSelector | None) -> Tensor:
    """The tokens that must not serve as negatives, most probable first, ``(N, A)``, int64.

    They are -1 where a position has fewer than A of them.
    """
    if avoid is None:
        return batch.top_ids[:, :0]
    dominant = select_dominant(
        batch.top_ids, batch.top_log_probs.exp(), selector=avoid, entropy=batch.entropy
    )
    # A batch of no positions has no maximum
    return dominant.token_ids[:, : int(dominant.count.max()) if len(batch) else 0]


@dataclass(frozen=True, slots=True)
class LossParts:
    """A loss that is still to be divided, so that several processes can share a batch.

    Attributes:
        total: Sum of weighted losses, a scalar, in nats.
        weight: Sum of the weights, a scalar.
    """

    total: Tensor
    weight: Tensor


def sampled_loss(
    head: QualityHead, batch: FeatureBatch, negatives: Tensor, objective: Objective
) -> LossParts:
    """Binary cross-entropy over each target and its drawn negatives, ``(N, K)``, -1 for none.

    A negative that equals the target is the target, and one that stands twice counts once.
    """
    token_ids = torch.cat([batch.targets.unsqueeze(1), negatives], dim=1)  # (N, 1+K)
    # Only earlier columns count as equals, so that the first of them stays
    repeated = (token_ids.unsqueeze(2) == token_ids.unsqueeze(1)).tril(-1).any(-1)
    counted = ~repeated & (token_ids >= 0)
    labels = torch.zeros_like(token_ids, dtype=torch.float32)
    labels[:, 0] = 1.0
    if batch.errors is not None:
        labels[:, 0] = (~batch.errors).float()
        counted[:, 1:] &= ~batch.errors.unsqueeze(1)
    logits = head.logits(batch.hidden, token_ids.clamp(min=0))
    losses = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    weights = counted.float()
    weights[:, 0] = _target_weights(batch, counted[:, 1:].sum(-1), objective)
    return LossParts((losses * weights).sum(), weights.sum())


def full_loss(
    head: QualityHead,
    batch: FeatureBatch,
    avoided: Tensor,
    objective: Objective,
    *,
    vocabulary_size: int,
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
) -> LossParts:
    """Binary cross-entropy over each target and the whole vocabulary, a few positions at a time.

    ``avoided`` tokens count at no position's negatives, ``(N, A)``, -1 for none;
    ``workspace_bytes`` bounds the memory of one chunk, forwards and backwards.
    """
    errors = batch.errors
    counts = vocabulary_size - 1 - (avoided >= 0).sum(-1)
    # A target that is avoided as well was taken off twice
    counts += (avoided == batch.targets.unsqueeze(1)).any(-1)
    weights = _target_weights(batch, counts, objective)
    if errors is not None:
        counts = counts.masked_fill(errors, 0)
    wrong = torch.zeros_like(batch.targets, dtype=torch.bool) if errors is None else errors
    if isinstance(head, RescalingHead):
        total = _rescaled_loss(
            head,
            batch.hidden[~wrong],
            batch.targets[~wrong],
            avoided[~wrong],
            weights[~wrong],
            vocabulary_size=vocabulary_size,
            workspace_bytes=workspace_bytes,
        )
    else:
        layer = head.linear(batch.hidden)
        total = linear_sigmoid_cross_entropy(
            layer.hidden,
            layer.weight,
            batch.targets.masked_fill(wrong, LM_IGNORE_INDEX),
            row_bias=layer.row_bias,
            target_weights=weights,
            excluded=avoided,
            reduction="sum",
            workspace_bytes=workspace_bytes,
        )
    # Even the gradient of no logits would be as large as the weight
    if wrong.any():
        own = head.logits(batch.hidden[wrong], batch.targets[wrong])
        total = total + (F.softplus(own) * weights[wrong]).sum()
    return LossParts(total, weights.sum() + counts.sum())


def _rescaled_loss(
    head: RescalingHead,
    hidden: Tensor,
    targets: Tensor,
    avoided: Tensor,
    target_weights: Tensor,
    *,
    vocabulary_size: int,
    workspace_bytes: int,
) -> Tensor:
    """The same loss of the language model's own logits, a scalar.

    They may be soft-capped, so that they are not linear, and they are frozen: the products that
    a linear loss spends on gradients of hidden states and weight would be for two scalars.
    """
    own = targets.unsqueeze(1)
    uncounted = torch.cat([own, torch.where(avoided < 0, own, avoided)], dim=1)

    def chunk(part: slice) -> Tensor:
        logits = head.logits(hidden[part])  # (n, V)
        positive = F.softplus(-logits.gather(1, own[part])).squeeze(1) * target_weights[part]
        # Taken out rather than subtracted: a sure target would drown the negatives
        negative = F.softplus(logits.scatter(1, uncounted[part], -torch.inf)).sum(-1)
        return (positive + negative).sum()

    total = hidden.new_zeros((), dtype=torch.float32)
    for part in row_chunks(
        # A chunk of nothing still gives both scalars a gradient
        max(len(hidden), 1),
        # Logits, those of the negatives, their losses, and a gradient
        bytes_per_row=4 * 4 * vocabulary_size,
        workspace_bytes=workspace_bytes,
    ):
        total = total + checkpoint(chunk, part, use_reentrant=False, preserve_rng_state=False)
    return total


def ranking_loss(
    head: QualityHead, batch: FeatureBatch, avoided: Tensor, objective: Objective
) -> LossParts:
    """Hinge loss between each target and the most probable other dominant tokens.

    Dominant are the ``avoided`` ones, most probable first, ``(N, A)``, -1 for none.
    """
    rivals = avoided[:, :_RIVALS]
    counted = (rivals >= 0) & (rivals != batch.targets.unsqueeze(1))
    if batch.errors is not None:
        counted &= ~batch.errors.unsqueeze(1)
    token_ids = torch.cat([batch.targets.unsqueeze(1), rivals.clamp(min=0)], dim=1)
    logits = head.logits(batch.hidden, token_ids)
    losses = F.relu(objective.margin - logits[:, :1] + logits[:, 1:])
    return LossParts((losses * counted).sum(), counted.sum().float())


def _target_weights(batch: FeatureBatch, negatives: Tensor, objective: Objective) -> Tensor:
    """Weight of each target, ``(N,)``, at a position with that many negatives."""
    if objective.positive_weight == "balance":
        # With nothing to balance against, a target still counts
        weights = negatives.clamp(min=1).float()
    else:
        weights = torch.full_like(batch.targets, objective.positive_weight, dtype=torch.float32)
    if batch.errors is not None:
        weights = weights.masked_fill(batch.errors, objective.error_weight)
    return weights
