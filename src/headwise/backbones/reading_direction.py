"""Whether a model's first token reads what comes after it."""

from typing import cast

import torch
from torch import Tensor
from transformers import PreTrainedModel


def first_token_reads_all(model: PreTrainedModel) -> bool:
    """Whether the first token's last hidden state depends on the second token.

    Asked of the model itself, since configurations do not say: it reads two inputs that differ
    in their second token alone.
    """
    weight = cast(Tensor, model.get_input_embeddings().weight)
    last = len(weight) - 1  # far from the padding's id
    ids = torch.tensor([[last, last - 1], [last, last - 2]], device=weight.device)
    with torch.inference_mode():
        hidden = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    return not torch.equal(hidden[0, 0], hidden[1, 0])
