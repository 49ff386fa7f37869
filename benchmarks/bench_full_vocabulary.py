"""A training step of a head whose negatives are the whole vocabulary, against checkpointed chunks.

Theirs is what `full_loss` was before: the head's logits a few positions at a time, built again in
the backward pass, and a sum over all tokens from which the target's share is subtracted.
"""

import argparse

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from comparison import compare_seconds, device_line
from headwise.features import FeatureBatch
from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES, row_chunks
from headwise.heads import ContextualSigmoidHead, SigmoidHead
from headwise.training.sigmoid.objective import full_loss
from headwise.training.sigmoid.objective_settings import Objective
from peak_memory import peak_bytes

MIB = 2**20
AVOIDED = 3


def random_batch(positions: int, vocabulary: int, hidden: int) -> FeatureBatch:
    """Random positions whose most probable tokens are any."""
    return FeatureBatch(
        hidden=torch.randn(positions, hidden),
        targets=torch.randint(vocabulary, (positions,)),
        keys=torch.arange(positions),
        top_ids=torch.rand(positions, vocabulary).topk(AVOIDED).indices,
        top_log_probs=torch.zeros(positions, AVOIDED),
        entropy=torch.zeros(positions),
        errors=None,
        counts=(positions,),
        closing=torch.zeros(positions, dtype=torch.bool),
    )


def checkpointed_loss(head: SigmoidHead, batch: FeatureBatch, *, workspace_bytes: int) -> Tensor:
    """Sum of the losses of all targets and all tokens that are not avoided."""

    def chunk(hidden: Tensor, targets: Tensor, avoided: Tensor) -> Tensor:
        logits = head.logits(hidden)
        own = logits.gather(1, targets.unsqueeze(1))
        losses = F.softplus(logits).sum(-1) - F.softplus(own).squeeze(1)
        excluded = F.softplus(logits.gather(1, avoided))
        return losses - (excluded * (avoided != targets.unsqueeze(1))).sum(-1)

    total = batch.hidden.new_zeros(())
    for part in row_chunks(
        len(batch), bytes_per_row=4 * 4 * len(head.weight), workspace_bytes=workspace_bytes
    ):
        inputs = batch.hidden[part], batch.targets[part], batch.top_ids[part]
        losses = checkpoint(chunk, *inputs, use_reentrant=False, preserve_rng_state=False)
        total = total + losses.sum()
    return total + F.softplus(-head.logits(batch.hidden, batch.targets)).sum()


def compare(head: SigmoidHead, batch: FeatureBatch, workspace_bytes: int) -> None:
    """Print seconds and memory of a step of each side, once they agree."""

    def gradients(loss: Tensor) -> tuple[Tensor, ...]:
        return torch.autograd.grad(loss, list(head.parameters()))

    def ours() -> tuple[Tensor, ...]:
        parts = full_loss(
            head,
            batch,
            batch.top_ids,
            Objective(),
            vocabulary_size=len(head.weight),
            workspace_bytes=workspace_bytes,
        )
        return gradients(parts.total)

    def theirs() -> tuple[Tensor, ...]:
        return gradients(checkpointed_loss(head, batch, workspace_bytes=workspace_bytes))

    our_peak, mine = peak_bytes(ours)
    their_peak, other = peak_bytes(theirs)
    for own, old in zip(mine, other, strict=True):
        assert (own - old).norm() <= 1e-4 * old.norm(), "the gradients disagree"
    own_size = sum(gradient.nbytes for gradient in mine)
    del mine, other
    name = f"V {len(head.weight)}, {type(head).__name__}"
    compare_seconds(f"{name}: step", ours, theirs, labels=("ours", "checkpointed chunks"))
    our_peak, their_peak = our_peak - own_size, their_peak - own_size
    print(
        f"{name}: memory beyond the gradients: ours {our_peak / MIB:.0f} MiB, checkpointed chunks "
        f"{their_peak / MIB:.0f} MiB, ratio {our_peak / their_peak:.2f}"
    )


def main() -> None:
    """Compare the sides at each vocabulary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=int, default=1024)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--vocabularies", type=int, nargs="+", default=[8000, 32_000])
    parser.add_argument("--workspace-mib", type=int, default=DEFAULT_WORKSPACE_BYTES // MIB)
    options = parser.parse_args()
    print(
        f"N {options.positions}, H {options.hidden}, float32, workspace "
        f"{options.workspace_mib} MiB, {device_line()}"
    )
    for size in options.vocabularies:
        torch.manual_seed(0)
        batch = random_batch(options.positions, size, options.hidden)
        for kind in (SigmoidHead, ContextualSigmoidHead):
            head = kind(vocabulary_size=size, hidden_size=options.hidden)
            compare(head, batch, options.workspace_mib * MIB)


if __name__ == "__main__":
    main()
