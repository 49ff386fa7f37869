"""Error heads whose weights, means and scales are other ones than at the start, with inputs."""

from typing import Any

import torch
from torch import Tensor

from headwise.heads import ErrorHead, ErrorVariant

H, R, D = 7, 3, 5
COUNTS = (4, 1, 6, 2)


def made_head(variant: ErrorVariant | str = "hindsight", **options: Any) -> ErrorHead:
    """All weights, means and scales are other ones than at the start."""
    torch.manual_seed(3)
    head = ErrorHead(hidden_size=H, variant=variant, inner_size=D, **options)
    hidden, rows, statistics = made_inputs(50, read=head.statistics)
    head.standardise(3.0 * hidden + 1.0, rows - 0.5, statistics)
    return head.eval()


def made_inputs(n: int, *, read: bool = False, seed: int = 0) -> tuple[Tensor, Tensor, Any]:
    generator = torch.Generator().manual_seed(seed)
    hidden, rows = torch.randn(2, n, H, generator=generator)
    statistics = -5.0 * torch.rand(n, 3, generator=generator) if read else None
    return hidden, rows, statistics
