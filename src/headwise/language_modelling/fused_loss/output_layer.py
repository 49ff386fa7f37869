"""The trainable output layer of a language model, as linear cross-entropy wants it."""

from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from headwise.backbones.unembedding import LogitTransformation
from headwise.errors import UnsupportedModelError
from headwise.heads import SplitLanguageModellingHead
from headwise.heads.vocabulary.split_language_modelling_head import check_plain

PlainLayer: TypeAlias = nn.Linear | SplitLanguageModellingHead


@dataclass(frozen=True, slots=True)
class OutputLayer:
    """Live weights of an output layer and what the model does to its products.

    Attributes:
        weights: Blocks of rows, ``(V_i, H)``; one block where the vocabulary is not split.
        biases: ``(V,)``, or one a block, or ``None``.
        scale: Factor on the products.
        softcap: Bound on the logits' absolute value, or ``None``.
    """

    weights: tuple[Tensor, ...]
    biases: Tensor | tuple[Tensor, ...] | None
    scale: float
    softcap: float | None

    @classmethod
    def of(cls, model: PreTrainedModel) -> "OutputLayer":
        """Read the layer anew: adapters and quantisation replace it behind our back.

        Raises:
            UnsupportedModelError: If the layer is neither a plain linear layer nor a split head,
                its weight is sharded, or logits are soft-capped twice.
        """
        layer = plain_output_layer(model)
        after = LogitTransformation.of(model)
        weights, biases = _weights_and_biases(layer)
        if any(weight.ndim != 2 for weight in weights):
            raise UnsupportedModelError(
                f"The output layer of {type(model).__name__} has weights of shapes "
                f"{[tuple(weight.shape) for weight in weights]}, expected (V, H): they seem to be "
                "sharded; keep them whole on every process (DDP), or call `unpatch_lm_loss(model)`."
            )
        softcap = layer.softcap if isinstance(layer, SplitLanguageModellingHead) else None
        if softcap is not None and after.softcap is not None:
            raise UnsupportedModelError(
                f"{type(model).__name__} soft-caps its logits at {after.softcap}, and so does its "
                f"split head at {softcap}; build the head without `softcap`."
            )
        return cls(
            weights=weights,
            biases=_sum_of_biases(biases, after.bias),
            scale=after.scale,
            softcap=after.softcap if softcap is None else softcap,
        )

    def float(self) -> "OutputLayer":
        """A copy whose tensors are float32."""
        biases: Tensor | tuple[Tensor, ...] | None = None
        if isinstance(self.biases, Tensor):
            biases = self.biases.float()
        elif self.biases is not None:
            biases = tuple(each.float() for each in self.biases)
        weights = tuple(weight.float() for weight in self.weights)
        return replace(self, weights=weights, biases=biases)


def plain_output_layer(model: PreTrainedModel) -> PlainLayer:
    """The output layer, if it is nothing but its weight and bias.

    Raises:
        UnsupportedModelError: If there is none, or if it computes more than a product.
    """
    layer = model.get_output_embeddings()
    # Exactly these: a subclass or a wrapper (LoRA, quantised, sharded) has a forward of its own
    if type(layer) is nn.Linear:
        return layer
    if type(layer) is SplitLanguageModellingHead:
        check_plain(layer.lm_head)
        return layer
    kind = "none" if layer is None else f"{type(layer).__module__}.{type(layer).__name__}"
    raise UnsupportedModelError(
        f"The output layer of {type(model).__name__} is {kind}; the loss without logits needs "
        "torch.nn.Linear or headwise's SplitLanguageModellingHead. Leave the output layer out of "
        "adapters (LoRA's `target_modules`), quantisation and sharding of its own, or call "
        "`unpatch_lm_loss(model)`."
    )


def _weights_and_biases(layer: PlainLayer) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...] | None]:
    if isinstance(layer, SplitLanguageModellingHead):
        biases = tuple(each for each in layer.biases if each is not None)
        return layer.weights, biases or None
    bias: Tensor | None = layer.bias
    return (layer.weight,), None if bias is None else (bias,)


def _sum_of_biases(
    biases: tuple[Tensor, ...] | None, final: Tensor | None
) -> Tensor | tuple[Tensor, ...] | None:
    if final is None or biases is None:
        return final if biases is None else biases
    return torch.cat(biases) + final
