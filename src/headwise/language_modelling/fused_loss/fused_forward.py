"""A language model's forward with a loss and without logits."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.loss.loss_utils import ForCausalLMLoss
from transformers.utils.generic import ModelOutput

from headwise.errors import UnsupportedModelError
from headwise.functional import LM_IGNORE_INDEX, LossBackend, linear_cross_entropy
from headwise.language_modelling.fused_loss.expert_balance import balance_loss, wants_router_logits
from headwise.language_modelling.fused_loss.output_layer import OutputLayer

# Arguments of a language model's forward that its decoder does not read
_ABOUT_THE_LOSS = frozenset(
    {"labels", "shift_labels", "num_items_in_batch", "ignore_index", "logits_to_keep"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedLoss:
    """How a patched model computes its loss.

    Attributes:
        backend: Who computes linear cross-entropy.
        workspace_bytes: Budget for the logits that live at one time.
        z_loss: Weight of the squared logsumexp, added while the model trains.
        keep_eval_logits: Whether a model in evaluation mode keeps its own forward.
    """

    backend: LossBackend
    workspace_bytes: int
    z_loss: float
    keep_eval_logits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedForward:
    """The forward of a patched model, which is its first argument.

    Attributes:
        signature: What the model's own forward takes, the model itself first.
        output_type: What that returns.
        labels_to_base: Whether the base model reads labels (PaliGemma and Gemma 3 mask by them).
    """

    settings: FusedLoss
    signature: inspect.Signature
    output_type: type[ModelOutput]
    labels_to_base: bool

    @property
    def __signature__(self) -> inspect.Signature:
        """That of the model's own forward."""
        return self.signature

    def __call__(self, model: PreTrainedModel, *args: Any, **kwargs: Any) -> Any:
        """Compute the loss without logits, or run the model's own forward.

        Raises:
            TypeError: If the model's own forward would not take the call.
        """
        call = self._by_name(model, args, kwargs)
        if call is None or self._needs_logits(model, call):
            return type(model).forward(model, *args, **kwargs)
        return self.output(model, call)

    def _by_name(
        self, model: PreTrainedModel, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Arguments by name, the model aside; ``None`` if some have none, as behind ``*args``."""
        call = dict(self.signature.bind(model, *args, **kwargs).arguments)
        for name, parameter in self.signature.parameters.items():
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL and name in call:
                return None
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                call |= call.pop(name, {})
        del call[next(iter(self.signature.parameters))]
        return call

    def _needs_logits(self, model: PreTrainedModel, call: Mapping[str, Any]) -> bool:
        """Whether a call is for the model's own forward."""
        kept = call.get("logits_to_keep", 0)
        return (
            call.get("labels") is None
            or isinstance(kept, Tensor)
            or kept not in (0, None)
            or (self.settings.keep_eval_logits and not model.training)
        )

    def base_outputs(self, model: PreTrainedModel, call: Mapping[str, Any]) -> ModelOutput:
        """Run everything in front of the output layer, which ``last_hidden_state`` enters."""
        inputs = {name: value for name, value in call.items() if name not in _ABOUT_THE_LOSS}
        if self.labels_to_base:
            inputs["labels"] = call["labels"]
        if model.config.is_encoder_decoder:
            # As its own forward does where there are labels: nothing is generated
            inputs["use_cache"] = False
            if call.get("decoder_input_ids") is None and call.get("decoder_inputs_embeds") is None:
                shifted: Any = model.prepare_decoder_input_ids_from_labels
                inputs["decoder_input_ids"] = shifted(labels=call["labels"])
        elif hasattr(model.config.get_text_config(), "output_router_logits"):
            inputs["output_router_logits"] = wants_router_logits(
                model, call.get("output_router_logits")
            )
        outputs: ModelOutput = base_model(model)(**(inputs | {"return_dict": True}))
        return outputs

    def output(
        self, model: PreTrainedModel, call: Mapping[str, Any], *, in_float32: bool = False
    ) -> Any:
        """Do what the model's forward does with a call that has ``labels``, logits aside.

        ``in_float32`` says whether the output layer and the loss are computed so, from copies.
        ``logits`` are ``None`` in the output, and left out of the tuple with ``return_dict=False``.

        Raises:
            UnsupportedModelError: If the output layer or the loss have been replaced by others.
        """
        outputs = self.base_outputs(model, call)
        hidden: Tensor = outputs["last_hidden_state"]
        loss = _token_loss(model, hidden, call, self.settings, in_float32)
        values: dict[str, Any] = {"loss": loss}
        if not model.config.is_encoder_decoder and wants_router_logits(
            model, call.get("output_router_logits")
        ):
            values["aux_loss"], added = balance_loss(
                model, outputs.get("router_logits"), call.get("attention_mask")
            )
            values["loss"] = values["loss"] + added.to(hidden.device)
        names = {field.name for field in fields(self.output_type)}  # type: ignore[arg-type]
        output = self.output_type(
            **{name: value for name, value in outputs.items() if name in names}, **values
        )
        as_dict = call.get("return_dict")
        as_dict = model.config.return_dict if as_dict is None else as_dict
        return output if as_dict else output.to_tuple()


def base_model(model: PreTrainedModel) -> nn.Module:
    """The module in front of a model's output layer; the model itself where there is none."""
    base: nn.Module = model
    if model.base_model is not model:
        base = model.base_model
    elif hasattr(model, "model"):  # Llama 4's text model has the prefix of a larger one
        base = model.model
    return base


def _token_loss(
    model: PreTrainedModel,
    hidden: Tensor,
    call: Mapping[str, Any],
    settings: FusedLoss,
    in_float32: bool,
) -> Tensor:
    """The loss of the labels, as ``ForCausalLMLoss`` has it; encoder-decoders do not shift."""
    layer = OutputLayer.of(model)
    if in_float32:
        # As the layer reads them: Mamba's may be float32 in front of bfloat16
        hidden, layer = hidden.to(layer.weights[0].dtype).float(), layer.float()
    aligned = model.config.is_encoder_decoder
    if not aligned and model.loss_function is not ForCausalLMLoss:
        raise UnsupportedModelError(
            f"The loss of {type(model).__name__} is {model.loss_function}, not Transformers' "
            "ForCausalLMLoss; remove it, or call `unpatch_lm_loss(model)`."
        )
    shifted: Tensor | None = None if aligned else call.get("shift_labels")
    labels: Tensor = call["labels"] if shifted is None else shifted
    count = None if aligned else call.get("num_items_in_batch")
    loss = linear_cross_entropy(
        hidden * layer.scale if layer.scale != 1.0 else hidden,
        layer.weights,
        labels.to(hidden.device),
        bias=layer.biases,
        ignore_index=call.get("ignore_index", LM_IGNORE_INDEX),
        reduction="mean" if count is None else "sum",
        shift=not aligned and shifted is None,
        softcap=layer.softcap,
        z_loss=settings.z_loss if model.training else 0.0,
        backend=settings.backend,
        workspace_bytes=settings.workspace_bytes,
    )
    if count is None:
        return loss
    return loss / (count.to(loss.device) if torch.is_tensor(count) else count)
