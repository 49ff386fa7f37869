"""Wrong tokens for dev positions, to see during training how well scores tell right from wrong.

Only the token at the position itself is wrong, so that nothing has to be read by the model again.
"""

import torch
from torch import Tensor

from headwise.features import FeatureBatch
from headwise.functional.counter_noise import mixed_keys
from headwise.functional.dominant_tokens import unlikely_tokens
from headwise.functional.negative_sampling import gumbel_top_k, shared_draws

# Noise of its own, and the same at every evaluation
_FREQUENT, _UNLIKELY = -2, -3


def frequent_wrong_tokens(batch: FeatureBatch, avoided: Tensor, frequencies: Tensor) -> Tensor:
    """A token drawn by frequency for each position, neither its target nor to be avoided.

    Args:
        batch: N positions.
        avoided: Tokens that may be right, ``(N, A)``; -1 for none.
        frequencies: How often each token is a target in the training data, ``(V,)``.

    Returns:
        Token ids, ``(N,)``; -1 where there is none.
    """
    others = avoided.masked_fill(avoided == batch.targets.unsqueeze(1), -1)
    tabu = torch.cat([others, batch.targets.unsqueeze(1)], dim=1)
    return shared_draws(frequencies, tabu, 1, keys=mixed_keys(batch.keys, _FREQUENT)).squeeze(1)


def unlikely_wrong_tokens(batch: FeatureBatch, avoided: Tensor) -> Tensor:
    """A token that the language model finds possible but unlikely for each position.

    Args:
        batch: N positions.
        avoided: Tokens that may be right, the most probable ones, ``(N, A)``; -1 for none.

    Returns:
        Token ids, ``(N,)``; -1 where there is none.
    """
    drawable = unlikely_tokens(batch.top_log_probs.exp(), (avoided >= 0).sum(-1))
    drawable &= batch.top_ids != batch.targets.unsqueeze(1)
    law = batch.top_log_probs.masked_fill(~drawable, -torch.inf)
    chosen = gumbel_top_k(law, 1, keys=mixed_keys(batch.keys, _UNLIKELY))
    return batch.top_ids.gather(1, chosen.clamp(min=0)).masked_fill(chosen < 0, -1).squeeze(1)
