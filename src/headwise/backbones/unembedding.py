"""The output layer of a language model as a function of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from headwise.errors import UnsupportedModelError
from headwise.functional import gathered_logits
from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES
from headwise.functional.logit_chunks import soft_cap_
from headwise.functional.vocabulary_blocks import block_width

# Measured: a weight that a processor's caches hold is multiplied faster as a whole
_CACHED_BYTES = 32 * 2**20
_BLOCK_TYPES = (torch.float32, torch.bfloat16, torch.float16)
# Of Gemma 2, 3, 3n; of RecurrentGemma; of xLSTM
_CAPS = ("final_logit_softcapping", "logits_soft_cap", "output_logit_soft_cap")


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
        """Turn products of the output layer, ``(..., V)``, into logits; overwrites them."""
        # In place: the products are the largest tensor of the computation
        if self.scale != 1.0:
            products.mul_(self.scale)
        if self.bias is not None:
            products.add_(self.bias)
        if self.softcap is None:
            return products
        if products.requires_grad:  # the gradient of tanh is read off its result
            return self.softcap * torch.tanh(products / self.softcap)
        return soft_cap_(products, self.softcap)

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
        softcap = next((cap for name in _CAPS if (cap := getattr(config, name, None))), None)
        return cls(
            bias=None if bias is None else bias.flatten(),
            scale=scale,
            softcap=None if softcap is None else float(softcap),
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
        if self.reads_by_block and not hidden.requires_grad:
            flat = hidden.reshape(-1, self.hidden_size)
            logits = self.weight.new_empty(len(flat), self.vocabulary_size)
            width = block_width(
                len(flat),
                vocabulary_size=self.vocabulary_size,
                hidden_size=self.hidden_size,
                workspace_bytes=DEFAULT_WORKSPACE_BYTES,
            )
            for columns, block in self.blocks(flat, width=width):
                logits[:, columns] = block
            return logits.view(*hidden.shape[:-1], self.vocabulary_size)
        logits = F.linear(hidden.to(self.weight.dtype), self.weight)
        return self._finish(logits, self.bias)

    @property
    def reads_by_block(self) -> bool:
        """Whether logits are computed faster a block of the vocabulary at a time.

        So it is on a processor whose caches do not hold the weight, or which has no units for its
        type.
        """
        weight = self.weight
        on_cpu = weight.device.type == "cpu" and weight.dtype in _BLOCK_TYPES
        return on_cpu and (weight.nbytes > _CACHED_BYTES or self._product_type != weight.dtype)

    @property
    def _product_type(self) -> torch.dtype:
        """In which blocks are multiplied on a processor."""
        own = self.weight.dtype
        return own if own == torch.float32 or multiplies_fast(own) else torch.float32

    def blocks(
        self, hidden: Tensor, *, width: int, out: Tensor | None = None
    ) -> Iterator[tuple[slice, Tensor]]:
        """Logits of ``width`` tokens at a time, in order: their ids, and ``(n, width)``, float32.

        The last block may be smaller. The next one overwrites it, unless ``out``, ``(n, V)``,
        float32, keeps them all. A weight of 16 bits is multiplied as it is where the processor
        can; elsewhere one block of it after the other becomes float32, which is faster than what
        a processor does instead, and the products are not rounded.

        Args:
            hidden: What enters the output layer, ``(n, H)``.
            width: Tokens at a time.
            out: Where all logits go, ``(n, V)``, float32, if they are to stay.
        """
        own, dtype = self.weight.dtype, self._product_type
        inputs = hidden.to(dtype)
        rows = inputs.new_empty(0 if own == dtype else width, self.hidden_size)
        room = inputs.new_empty(len(inputs), width, dtype=torch.float32) if out is None else out
        for start in range(0, self.vocabulary_size, width):
            columns = slice(start, min(start + width, self.vocabulary_size))
            weight = self.weight[columns]
            size = len(weight)
            logits = room[:, :size] if out is None else out[:, columns]
            if dtype == torch.float32:
                if own != dtype:
                    weight = rows[:size].copy_(weight)
                torch.mm(inputs, weight.T, out=logits)
            else:
                logits.copy_(inputs @ weight.T)
            bias = None if self.bias is None else self.bias[columns]
            yield columns, self._finish(logits, bias)

    def gathered(self, hidden: Tensor, token_ids: Tensor) -> Tensor:
        """New logits of ``token_ids`` ``(N, K)`` only, ``(N, K)``, for ``hidden`` ``(N, H)``."""
        logits = gathered_logits(hidden, self.weight, token_ids)
        return self._finish(logits, None if self.bias is None else self.bias[token_ids])

    def _finish(self, logits: Tensor, bias: Tensor | None) -> Tensor:
        return LogitTransformation(bias, self.scale, self.softcap).apply_(logits)

    @classmethod
    def of(cls, model: PreTrainedModel) -> "Unembedding":
        """Read weight, bias, scale and soft-cap off a Transformers model.

        Args:
            model: A causal or encoder-decoder language model.

        Raises:
            UnsupportedModelError: If the model has no linear output layer.
        """
        layer = model.get_output_embeddings()
        if not isinstance(layer, nn.Linear):
            raise UnsupportedModelError(
                f"{type(model).__name__} has no linear output layer "
                f"(found {type(layer).__name__}); use a causal or encoder-decoder language model."
            )
        if not layer.weight.is_floating_point():
            raise UnsupportedModelError(
                f"The output layer of {type(model).__name__} is quantised; leave it out of the "
                "quantisation."
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


def multiplies_fast(dtype: torch.dtype) -> bool:
    """Whether this processor has units that multiply matrices of 16-bit numbers."""
    # AVX-512, AMX, and ARM's own; unknown to PyTorch before 2.11, where all is float32
    names = {
        torch.bfloat16: ("avx512_bf16", "amx_bf16", "bf16"),
        torch.float16: ("avx512_fp16", "amx_fp16", "fp16_arith"),
    }
    has: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(has.get(name) for name in names.get(dtype, ()))


@contextmanager
def layer_in_float32(layer: nn.Linear) -> Iterator[list[Tensor]]:
    """Let an output layer compute in float32, and collect what enters it.

    What a model does to its logits then shows apart from the rounding of its own type: a scale of
    1.01 is hidden in bfloat16.
    """
    entered: list[Tensor] = []

    def forward(hidden: Tensor) -> Tensor:
        entered.append(hidden)
        products = products_in_float32(hidden, layer.weight)
        return products if layer.bias is None else products.add_(layer.bias)

    # Hooks of others stay as they are; a forward of the instance is put back (Accelerate's)
    instance = vars(layer)
    own = instance.get("forward")
    instance["forward"] = forward
    try:
        yield entered
    finally:
        del instance["forward"]
        if own is not None:
            instance["forward"] = own


def products_in_float32(hidden: Tensor, weight: Tensor) -> Tensor:
    """``hidden @ weight.T`` without a copy of all of the weight."""
    blocks = [F.linear(hidden.float(), rows.float()) for rows in weight.split(_ROWS_AT_A_TIME)]
    return torch.cat(blocks, dim=-1)


_ROWS_AT_A_TIME = 16384


def check_unembedding(
    unembedding: Unembedding, hidden: Tensor, entered: Tensor, logits: Tensor, *, name: str
) -> None:
    """Compare an unembedding with the model's own logits.

    An architecture may do something to its logits that nobody told us about; then every signal
    of the softmax family would be wrong without a word.

    Args:
        unembedding: What was read off the model.
        hidden: What the backbone takes for the input of the output layer, ``(N, H)``.
        entered: What entered it in the model's own forward, ``(N, H)``.
        logits: What came of it, ``(N, V)``, where :func:`layer_in_float32` computed its products.
        name: The model's, for the message.

    Raises:
        UnsupportedModelError: If hidden states differ by more than a few roundings in their type,
            or logits by more than a few in float32 (or in the type that the model turns them into).
    """
    bias = None if unembedding.bias is None else unembedding.bias.float()
    after = LogitTransformation(bias, unembedding.scale, unembedding.softcap)
    own = after.apply_(products_in_float32(entered, unembedding.weight))
    if not (_is_close(hidden, entered, roundings=8) and _is_close(own, logits, roundings=32)):
        raise UnsupportedModelError(
            f"The output layer of {name} is not weight, bias, scale and soft-cap alone, so that "
            f"softmax-based signals would be wrong; only the signal 'sigmoid' can be used with it."
        )


def _is_close(ours: Tensor, theirs: Tensor, *, roundings: int) -> bool:
    """Whether tensors are the same but for some roundings of the largest number, in their type."""
    tolerance = roundings * torch.finfo(theirs.dtype).eps * max(1.0, float(theirs.abs().max()))
    # A type of 16 bits is a rounding or two away, not dozens: its steps are wide
    if theirs.dtype in (torch.bfloat16, torch.float16):
        tolerance = min(tolerance, 4 * torch.finfo(theirs.dtype).eps * float(theirs.abs().max()))
    return ours.shape == theirs.shape and torch.allclose(
        ours.float(), theirs.float(), rtol=0.0, atol=tolerance
    )
