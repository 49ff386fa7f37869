"""A step of the head that updates touched rows, against one that updates the vocabulary.

A step is the sampled loss of given negatives, backward, and the optimiser: `RowAdam` on a sparse
gradient, or PyTorch's fused AdamW on a dense one. Targets and half of the negatives follow Zipf's
law, the other half is spread evenly, which touches more rows than a language model's softmax.
"""

import argparse
from collections.abc import Callable
from itertools import cycle, product

import torch
from torch import Tensor

from comparison import device_line, median_seconds
from headwise.features import FeatureBatch
from headwise.heads import SigmoidHead
from headwise.training.sigmoid.objective import sampled_loss
from headwise.training.sigmoid.objective_settings import Objective
from headwise.training.sigmoid.row_adam import RowAdam, touched_rows_pay

NEGATIVES = 10
# Steps between two uses of the same rows, which would otherwise wait in the cache
BATCHES = 4


def random_batch(positions: int, vocabulary: int, hidden: int) -> tuple[FeatureBatch, Tensor]:
    """A batch and its negatives, ``(N, K)``."""
    cumulative = (1.0 / torch.arange(1, vocabulary + 1)).cumsum(0)
    noise = torch.rand(positions, 1 + NEGATIVES // 2) * cumulative[-1]
    frequent = torch.searchsorted(cumulative, noise).clamp_(max=vocabulary - 1)
    even = torch.randint(vocabulary, (positions, NEGATIVES - NEGATIVES // 2))
    batch = FeatureBatch(
        hidden=torch.randn(positions, hidden),
        targets=frequent[:, 0],
        keys=torch.arange(positions),
        top_ids=frequent[:, :1],
        top_log_probs=torch.zeros(positions, 1),
        entropy=torch.zeros(positions),
        errors=None,
        counts=(positions,),
        closing=torch.zeros(positions, dtype=torch.bool),
    )
    return batch, torch.cat([frequent[:, 1:], even], dim=1)


def stepper(
    batches: list[tuple[FeatureBatch, Tensor]], vocabulary: int, hidden: int, *, touched: bool
) -> Callable[[], None]:
    """A function that does one step of a head of its own."""
    head = SigmoidHead(vocabulary_size=vocabulary, hidden_size=hidden)
    head.sparse_gradient = touched
    optimizer: torch.optim.Optimizer = (
        RowAdam(head.parameters(), lr=1e-4)
        if touched
        else torch.optim.AdamW(head.parameters(), lr=1e-4, weight_decay=0.0, fused=True)
    )
    objective, endless = Objective(), cycle(batches)

    def step() -> None:
        batch, negatives = next(endless)
        loss = sampled_loss(head, batch, negatives, objective)
        (loss.total / loss.weight).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def main() -> None:
    """Print a table of times and ratios, and what the rule says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--vocabularies", type=int, nargs="+", default=[8_000, 32_000, 128_000, 256_000]
    )
    parser.add_argument("--hidden", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--positions", type=int, nargs="+", default=[256, 1024, 4096])
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    print(f"K {NEGATIVES}, {device_line()}")
    print("      V     H     N  touched  touched rows  all rows   ratio  rule")
    for v, h, n in product(arguments.vocabularies, arguments.hidden, arguments.positions):
        batches = [random_batch(n, v, h) for _ in range(BATCHES)]
        rows = sum(len(torch.cat([b.targets, k.flatten()]).unique()) for b, k in batches) // BATCHES
        ours, theirs, ratio = median_seconds(
            stepper(batches, v, h, touched=True),
            stepper(batches, v, h, touched=False),
            repeats=arguments.repeats,
        )
        pays = touched_rows_pay(v, n * (1 + NEGATIVES), torch.device("cpu"))
        print(
            f"{v:7d} {h:5d} {n:5d} {rows:8d} {ours * 1e3:10.1f} ms {theirs * 1e3:6.1f} ms "
            f"{ratio:6.2f}x  {'touched' if pays else 'all'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
