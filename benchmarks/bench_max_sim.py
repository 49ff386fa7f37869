"""The MaxSim step of reranking: `max_sim` against PyLate's `colbert_scores`, on the CPU.

One query of 32 tokens and 200 documents of 128, width 384, float32. PyLate pins older
Transformers than ours; its scores need none: ``pip install --no-deps pylate==1.6.0``.
"""

import sys

import torch
from torch.nn import functional as F

from comparison import device_line, median_seconds
from headwise.functional.max_sim import max_sim

try:
    from pylate import __version__
    from pylate.scores import colbert_scores
except ImportError as error:
    print(f"Skipped: this needs PyLate: pip install --no-deps pylate==1.6.0 ({error})")
    sys.exit(0)

S, N, T, D = 32, 200, 128, 384
CALLS = 20  # a call takes milliseconds


def compare(
    name: str, query: torch.Tensor, documents: torch.Tensor, mask: torch.Tensor | None
) -> None:
    """Time both sides in turn and print the ratio."""

    def ours() -> None:
        for _ in range(CALLS):
            max_sim(query, documents, document_mask=mask)

    def theirs() -> None:
        for _ in range(CALLS):
            colbert_scores(query, documents, documents_mask=mask)

    mine, other, ratio = median_seconds(ours, theirs, repeats=15)
    print(
        f"{name}: max_sim {mine / CALLS * 1000:.1f} ms, colbert_scores "
        f"{other / CALLS * 1000:.1f} ms, ratio {ratio:.2f}x"
    )


def one_by_one(query: torch.Tensor, documents: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The plain formula, document after document, without padding."""
    rows = zip(documents, mask.bool(), strict=True)
    return torch.stack([(query[0] @ d[real].T).amax(dim=1).sum() for d, real in rows]).unsqueeze(0)


def wrong(found: torch.Tensor, right: torch.Tensor) -> str:
    """How many scores are off, and by how much at most."""
    off = (found - right).abs()
    return f"{int((off > 1e-3).sum())} of {N} scores wrong, by {float(off.max()):.1e} at most"


def main() -> None:
    """Full documents, ragged ones, and ragged ones whose similarities are negative."""
    print(f"PyLate {__version__}, {device_line()}")
    torch.manual_seed(0)
    query = F.normalize(torch.randn(1, S, D), dim=-1)
    documents = F.normalize(torch.randn(N, T, D), dim=-1)
    difference = (max_sim(query, documents) - colbert_scores(query, documents)).abs().max()
    assert difference < 1e-4, "the sides disagree"
    compare("full documents", query, documents, None)

    lengths = torch.randint(T // 8, T + 1, (N, 1))
    mask = (torch.arange(T) < lengths).float()
    compare("ragged documents", query, documents, mask)

    # Token vectors of one encoder share a direction; here the query points the other way
    shared = F.normalize(torch.randn(D), dim=-1)
    query = F.normalize(query - 2 * shared, dim=-1)
    documents = F.normalize(documents + 2 * shared, dim=-1)
    right = one_by_one(query, documents, mask)
    mine = max_sim(query, documents, document_mask=mask)
    other = colbert_scores(query, documents, documents_mask=mask)
    print(f"negative similarities, ragged: max_sim {wrong(mine, right)}")
    print(f"negative similarities, ragged: colbert_scores {wrong(other, right)}")


if __name__ == "__main__":
    main()
