"""Memory of the head step at a 128k vocabulary, against the dense formula.

The language model is left out: random hidden states of 8,192 positions, H 1,024.
"""

import argparse

import torch

from comparison import PeakMemory, device_line
from headwise.backbones import Unembedding
from headwise.functional import LargestDrop, vocabulary_statistics
from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES
from headwise.heads import SigmoidHead


@torch.inference_mode()
def main() -> None:
    """Print extra peak memory of each side and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=int, default=8192)
    parser.add_argument("--vocabulary", type=int, default=128_000)
    parser.add_argument("--hidden", type=int, default=1024)
    arguments = parser.parse_args()
    n, v, h = arguments.positions, arguments.vocabulary, arguments.hidden
    print(f"N {n}, V {v}, H {h}, {device_line()}")
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(n, h, generator=generator)
    targets = torch.randint(v, (n,), generator=generator)
    head = SigmoidHead(vocabulary_size=v, hidden_size=h)
    unembedding = Unembedding(weight=head.weight.detach())
    # The first products allocate the library's own buffers, which belong to neither side
    head.score(hidden[:64], targets[:64]), head.score(hidden[:64])

    with PeakMemory() as ours:
        mine = head.score(hidden, targets)
    with PeakMemory() as statistics:
        vocabulary_statistics(
            hidden, unembedding, targets, entropy=True, rank=True, top_k=5, selector=LargestDrop()
        )
    with PeakMemory() as dense:
        theirs = head.score(hidden).gather(-1, targets.unsqueeze(-1)).squeeze(-1)

    assert torch.allclose(mine, theirs, atol=1e-5), "the sides disagree"
    mib = 2**20
    print(
        f"sigmoid alone: ours {ours.extra / mib:.1f} MiB, dense {dense.extra / mib:.1f} MiB, "
        f"ratio 1/{dense.extra / max(ours.extra, 1):.0f}"
    )
    print(
        f"all signals: ours {statistics.extra / mib:.1f} MiB of workspace_bytes "
        f"{DEFAULT_WORKSPACE_BYTES / mib:.0f} MiB, "
        f"ratio {statistics.extra / DEFAULT_WORKSPACE_BYTES:.2f}"
    )


if __name__ == "__main__":
    main()
