"""Memory of one training step of the head at a 128k vocabulary, against the dense pipeline.

The step is everything between given hidden states and changed weights. Ours also gets what the
feature cache holds, the 201 most probable tokens; the dense pipeline computes the logits. Adam's
moments are there before the step begins, the gradient is not.
"""

import argparse

import torch
from torch import Tensor

from comparison import PeakMemory, device_line
from dense_pipeline import dominant_mask, drawn_negatives, gathered_loss
from headwise.backbones import Unembedding
from headwise.features import FeatureBatch
from headwise.functional import vocabulary_statistics
from headwise.heads import SigmoidHead
from headwise.training.sigmoid.negatives import draw_negatives
from headwise.training.sigmoid.objective import avoided_tokens, sampled_loss
from headwise.training.sigmoid.objective_settings import Objective
from headwise.training.sigmoid.row_adam import RowAdam

MIB = 2**20
OBJECTIVE = Objective()
# Makes some positions of the random language model sure, and leaves others open
SHARPNESS = 5.0


def random_batch(unembedding: Unembedding, positions: int) -> FeatureBatch:
    """Random hidden states and what a feature cache would hold of them."""
    hidden = torch.randn(positions, unembedding.hidden_size) * SHARPNESS
    targets = torch.randint(unembedding.vocabulary_size, (positions,))
    statistics = vocabulary_statistics(hidden, unembedding, targets, entropy=True, top_k=201)
    assert statistics.top_ids is not None
    assert statistics.top_log_probs is not None
    assert statistics.entropy is not None
    return FeatureBatch(
        hidden=hidden,
        targets=targets,
        keys=torch.arange(positions),
        top_ids=statistics.top_ids,
        top_log_probs=statistics.top_log_probs,
        entropy=statistics.entropy,
        errors=None,
        counts=(positions,),
        closing=torch.zeros(positions, dtype=torch.bool),
    )


def our_step(
    head: SigmoidHead,
    optimizer: torch.optim.Optimizer,
    batch: FeatureBatch,
    frequencies: Tensor,
    unembedding: Unembedding,
) -> None:
    """Draw, compute the loss, and update, from cached features."""
    avoided = avoided_tokens(batch, OBJECTIVE.avoid)
    assert OBJECTIVE.negatives is not None
    negatives = draw_negatives(
        batch,
        avoided,
        sampling=OBJECTIVE.negatives,
        frequencies=frequencies,
        unembedding=unembedding,
        seed=0,
        epoch=0,
    )
    loss = sampled_loss(head, batch, negatives, OBJECTIVE)
    (loss.total / loss.weight).backward()
    optimizer.step()
    optimizer.zero_grad()


def dense_step(
    head: SigmoidHead,
    optimizer: torch.optim.Optimizer,
    batch: FeatureBatch,
    frequencies: Tensor,
    unembedding: Unembedding,
) -> None:
    """The same with matrices as high as the batch and as wide as the vocabulary."""
    logits = unembedding(batch.hidden)
    negatives = drawn_negatives(logits, dominant_mask(logits), frequencies)
    del logits
    gathered_loss(head.weight, batch.hidden, batch.targets, negatives).backward()
    optimizer.step()
    optimizer.zero_grad()


def check_agreement(head: SigmoidHead, batch: FeatureBatch, unembedding: Unembedding) -> None:
    """Both sides avoid the same tokens, and the same negatives have the same loss."""
    dominant = dominant_mask(unembedding(batch.hidden))
    avoided = avoided_tokens(batch, OBJECTIVE.avoid)
    rows = torch.arange(len(batch)).unsqueeze(1).expand_as(avoided)[avoided >= 0]
    ours = torch.zeros_like(dominant)
    ours[rows, avoided[avoided >= 0]] = True
    assert avoided.numel(), "nothing is avoided"
    assert torch.equal(ours, dominant), "the sides avoid other tokens"
    negatives = torch.randint(len(head.weight), (len(batch), 10))
    negatives[:, 1], negatives[::2, 2] = negatives[:, 0], batch.targets[::2]
    parts = sampled_loss(head, batch, negatives, OBJECTIVE)
    dense = gathered_loss(head.weight, batch.hidden, batch.targets, negatives)
    assert torch.allclose(parts.total / parts.weight, dense, rtol=1e-4), "the losses disagree"


def main() -> None:
    """Print the extra peak memory of each side and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=int, default=4096)
    parser.add_argument("--vocabulary", type=int, default=128_000)
    parser.add_argument("--hidden", type=int, default=1024)
    arguments = parser.parse_args()
    n, v, h = arguments.positions, arguments.vocabulary, arguments.hidden
    torch.manual_seed(0)
    print(f"N {n}, V {v}, H {h}, K 10, float32, {device_line()}")
    head = SigmoidHead(vocabulary_size=v, hidden_size=h)
    unembedding = Unembedding(weight=head.weight.detach().clone())
    frequencies = 1.0 / torch.arange(1, v + 1)
    small, batch = random_batch(unembedding, 64), random_batch(unembedding, n)
    check_agreement(head, small, unembedding)

    def extra(*, sparse: bool = False, dense: bool = False) -> int:
        head.sparse_gradient = sparse
        optimizer: torch.optim.Optimizer = (
            RowAdam(head.parameters(), lr=1e-4)
            if sparse
            else torch.optim.AdamW(head.parameters(), lr=1e-4, weight_decay=0.0, fused=True)
        )
        step = dense_step if dense else our_step
        # The first step makes the moments and the libraries' own buffers
        step(head, optimizer, small, frequencies, unembedding)
        with PeakMemory() as peak:
            step(head, optimizer, batch, frequencies, unembedding)
        return peak.extra

    touched, whole, theirs = extra(sparse=True), extra(), extra(dense=True)
    gradient = head.weight.nbytes
    moments = 2 * gradient
    print(f"a dense gradient: {gradient / MIB:.0f} MiB, moments: {moments / MIB:.0f} MiB")
    sides = {"dense pipeline": theirs, "ours, touched rows": touched, "ours, all rows": whole}
    for name, peak in sides.items():
        print(
            f"{name}: {peak / MIB:.0f} MiB, ratio 1/{theirs / peak:.1f}; with moments "
            f"{(peak + moments) / MIB:.0f} MiB, ratio 1/{(theirs + moments) / (peak + moments):.1f}"
        )


if __name__ == "__main__":
    main()
