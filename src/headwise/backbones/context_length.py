"""How many tokens a model can read."""

from torch import nn
from transformers import PreTrainedModel

# Tokenisers without a limit report a huge one
_NO_LIMIT = 10**9


def smallest_limit(*limits: int | None) -> int | None:
    """The smallest of the limits that are set and mean something, in tokens."""
    return min((n for n in limits if n is not None and 0 < n < _NO_LIMIT), default=None)


def position_limit(model: PreTrainedModel) -> int | None:
    """How many tokens an encoder has positions for, or ``None`` if any number will do.

    RoBERTa and its kin (XLM-R, MPNet, CamemBERT) count positions from one after the padding's
    id, so that the first rows of their table are never used.
    """
    for name, module in model.named_modules():
        if (
            name.endswith("position_embeddings")
            and isinstance(module, nn.Embedding)
            and module.padding_idx is not None
        ):
            return module.num_embeddings - module.padding_idx - 1
    return smallest_limit(getattr(model.config, "max_position_embeddings", None))
