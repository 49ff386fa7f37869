"""The output layer of a language model as a function of its own."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from headwise.errors import UnsupportedModelError
from headwise.functional import gathered_logits
from headwise.functional.logit_chunks import soft_cap_


class LogitTransformation(NamedTuple):
    """What a model does to the products of its output layer: ``cap * tanh(z / cap)``.

    ``z = scale * products + bias``; without a soft-cap, the logits are ``z``.

    Attributes:
        bias: ``(V,)``, added outside the output layer, or ``None``; not the layer's own bias.
        scale: Factor on the products (Cohere's ``logit_scale``, one over Granite's
            ``logits_scaling``).
        softcap: Bound on the logits' absolute value (Gemma 2's ``final_logit_softcapping``).
    """

    bias: Tensor | None = None
    scale: float = 1.0
    softcap: float | None = None

    def apply_(self, products: Tensor) -> Tensor:
        """Turn products of the output layer, ``(..., V)``, into logits, in place."""
        # In place: the products are the largest tensor of the computation
        if self.scale != 1.0:
            products.mul_(self.scale)
        if self.bias is not None:
            products.add_(self.bias)
        if self.softcap is not None:
            soft_cap_(products, self.softcap)
        return products

    @classmethod
    def of(cls, model: PreTrainedModel) -> "LogitTransformation":
        """Read it off a Transformers model; its tensors are the model's own."""
        bias: Tensor | None = getattr(model, "final_logits_bias", None)  # Marian, mBART, BART
        config = model.config.get_text_config(decoder=True)
        scale = 1.0
        if (logit_scale := getattr(config, "logit_scale", None)) is not None:  # Cohere
            scale = float(logit_scale)
        if (divisor := getattr(config, "logits_scaling", None)) is not None:  # Granite
            scale = 1.0 / float(divisor)
        softcap = getattr(config, "final_logit_softcapping", None)  # Gemma 2, 3, 3n
        return cls(
            bias=None if bias is None else bias.flatten(),
            scale=scale,
            softcap=None if not softcap else float(softcap),
        )


@dataclass(frozen=True, slots=True)
class Unembedding:
    """Turns the hidden states that enter a model's output layer into its logits.

    The products ``h @ W.T`` are transformed as :class:`LogitTransformation` says.

    Attributes:
        weight: ``(V, H)``, the model's own tensor, not a copy.
        bias: ``(V,)``, the layer's own and the model's together, or ``None``.
        scale: As in the transformation.
        softcap: Likewise.
    """

    weight: Tensor
    bias: Tensor | None = None
    scale: float = 1.0
    softcap: float | None = None

    @property
    def vocabulary_size(self) -> int:
        """V, the number of rows of the weight, padding rows included."""
        return self.weight.shape[0]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.weight.shape[1]

    def __call__(self, hidden: Tensor) -> Tensor:
        """New logits ``(..., V)`` of hidden states ``(..., H)``, in the dtype of the weight."""
        logits = F.linear(hidden.to(self.weight.dtype), self.weight)
        return self._finish(logits, self.bias)

    def gathered(self, hidden: Tensor, token_ids: Tensor) -> Tensor:
        """New logits of chosen tokens only, ``(N, K)`` for ``(N, H)`` and ids ``(N, K)``."""
        logits = gathered_logits(hidden, self.weight, token_ids)
        return self._finish(logits, None if self.bias is None else self.bias[token_ids])

    def _finish(self, logits: Tensor, bias: Tensor | None) -> Tensor:
        return LogitTransformation(bias, self.scale, self.softcap).apply_(logits)

    @classmethod
    def of(cls, model: PreTrainedModel) -> "Unembedding":
        """Read weight, bias, scale and soft-cap off a Transformers model.

        Raises:
            UnsupportedModelError: If the model has no linear output layer.
        """
        layer = model.get_output_embeddings()
        if not isinstance(layer, nn.Linear):
            raise UnsupportedModelError(
                f"{type(model).__name__} has no linear output layer "
                f"(found {type(layer).__name__}); use a causal or encoder-decoder language model."
            )
        bias: Tensor | None = layer.bias
        after = LogitTransformation.of(model)
        if after.bias is not None:
            bias = after.bias if bias is None else bias + after.bias
        return cls(
            weight=layer.weight.detach(),
            bias=None if bias is None else bias.detach(),
            scale=after.scale,
            softcap=after.softcap,
        )


def check_unembedding(
    unembedding: Unembedding, hidden: Tensor, logits: Tensor, *, name: str
) -> None:
    """Compare an unembedding with the model's own logits ``(N, V)`` of hidden states ``(N, H)``.

    An architecture may do something to its logits that nobody told us about; then every signal
    of the softmax family would be wrong without a word.

    Raises:
        UnsupportedModelError: If they differ by more than rounding in the model's dtype.
    """
    own, theirs = unembedding(hidden).float(), logits.float()
    tolerance = 32 * torch.finfo(unembedding.weight.dtype).eps
    if own.shape != theirs.shape or not torch.allclose(
        own, theirs, rtol=tolerance, atol=tolerance * max(1.0, float(theirs.abs().max()))
    ):
        raise UnsupportedModelError(
            f"The output layer of {name} is not weight, bias, scale and soft-cap alone, so that "
            f"softmax-based signals would be wrong; only the signal 'sigmoid' can be used with it."
        )
