"""What every frozen model has: a device, a dtype, and a longest input."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from headwise.backbones.text_checks import control_token_pattern
from headwise.errors import ContextLengthError


class FrozenModel(ABC):
    """A Transformers model that is not trained, and its tokeniser.

    Attributes:
        model: In ``eval`` mode, no parameter of it trainable.
        tokenizer: What gives its input.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self.model = model.requires_grad_(False).eval()
        self.tokenizer = tokenizer
        self._control_tokens = control_token_pattern(tokenizer)

    @property
    def device(self) -> torch.device:
        """Where inputs have to be."""
        weight: Tensor = self.model.get_input_embeddings().weight
        return weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The model's own floating point type."""
        dtype: torch.dtype = self.model.dtype
        return dtype

    @property
    @abstractmethod
    def max_length(self) -> int | None:
        """The longest input in tokens, or ``None`` if there is no limit."""

    def length_limit(self, asked: int | None = None) -> int | None:
        """The longest input in tokens: what the model reads, or less if less is asked for."""
        return min((n for n in (self.max_length, asked) if n is not None), default=None)

    def check_length(
        self, tokens: int, *, limit: int | None, what: str = "Prompt and hypothesis take"
    ) -> None:
        """Refuse more tokens than a limit (`ContextLengthError`); nothing is cut in silence.

        ``what`` begins the message, verb included.
        """
        if limit is not None and tokens > limit:
            raise ContextLengthError(
                f"{what} {tokens} tokens, but the model reads {limit} at most; split the text."
            )


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
