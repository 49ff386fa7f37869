"""Token ids and sizes for tests of split vocabularies."""

import torch
from random_language_models import VOCABULARY
from torch import Tensor

NEW = {"new": 3, "more": 2}
# A product with few columns is summed in another order than one with many
ROUNDING = {"rtol": 1e-5, "atol": 1e-6}


def ids(limit: int = VOCABULARY) -> Tensor:
    """Ids from 4 to the limit, ``(2, 7)``."""
    return torch.randint(4, limit, (2, 7), generator=torch.Generator().manual_seed(1))
