"""Whether a model's loss without logits is its own loss, found out on a few tokens."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from headwise.backbones.unembedding import (
    LogitTransformation,
    layer_in_float32,
    products_in_float32,
)
from headwise.errors import UnsupportedModelError
from headwise.functional import LM_IGNORE_INDEX, LossBackend, linear_cross_entropy
from headwise.language_modelling.fused_loss.expert_balance import balance_loss, wants_router_logits
from headwise.language_modelling.fused_loss.fused_forward import FusedForward, FusedLoss, base_model
from headwise.language_modelling.fused_loss.output_layer import OutputLayer

# More than one text, so that a shift across texts shows
_BATCH, _LENGTH = 2, 8


def check_model(model: PreTrainedModel) -> None:
    """Refuse a model that a few tokens cannot be run through.

    Raises:
        UnsupportedModelError: If it has no base model that reads tokens, or no weights yet.
    """
    name = type(model).__name__
    if base_model(model) is model or model.main_input_name != "input_ids":
        raise UnsupportedModelError(
            f"{name} has no base model that reads `input_ids` and returns what enters the output "
            "layer; the loss without logits is for causal language models and BART's family."
        )
    if any(parameter.is_meta for parameter in model.parameters()):
        raise UnsupportedModelError(f"{name} is on the meta device; load its weights first.")


def check_loss_options(
    model: PreTrainedModel, *, backend: LossBackend | str, workspace_bytes: int, z_loss: float
) -> None:
    """Compute the loss of one position, whose own errors say what is wrong with a setting.

    Raises:
        ImportError: If the backend is not installed.
        TypeError: If a setting is of another type.
        ValueError: If a setting is out of range, or the backend cannot compute this loss.
    """
    layer = OutputLayer.of(model)
    weight = layer.weights[0]
    with torch.no_grad():
        linear_cross_entropy(
            weight.new_zeros(1, weight.shape[1]),
            layer.weights,
            torch.zeros(1, dtype=torch.int64, device=weight.device),
            bias=layer.biases,
            softcap=layer.softcap,
            z_loss=z_loss,
            backend=cast(LossBackend, backend),
            workspace_bytes=workspace_bytes,
        )


def checked_forward(model: PreTrainedModel, settings: FusedLoss) -> FusedForward:
    """Build a forward whose losses and logits are those of the model's own on a few tokens.

    Weights, gradients, modes and random states stay as they are.

    Raises:
        UnsupportedModelError: If the model cannot be probed, or something differs.
    """
    with _as_in_evaluation(model), torch.no_grad():
        try:
            return _compare(model, settings)
        except UnsupportedModelError:
            raise
        except Exception as error:  # whatever an unknown architecture does with our calls
            raise UnsupportedModelError(
                f"{type(model).__name__} cannot be run without its output layer: "
                f"{type(error).__name__}: {error}"
            ) from error


def _compare(model: PreTrainedModel, settings: FusedLoss) -> FusedForward:
    original = type(model).forward
    signature = inspect.signature(original)
    call: dict[str, Any] = _few_tokens(model) | {"return_dict": True}
    if "use_cache" in signature.parameters:
        call["use_cache"] = False
    expected = original(model, **call)
    fused = FusedForward(
        settings=settings,
        signature=signature,
        output_type=type(expected),
        labels_to_base="labels" in inspect.signature(type(base_model(model)).forward).parameters,
    )
    hidden = fused.base_outputs(model, call)["last_hidden_state"]
    dtype = OutputLayer.of(model).weights[0].dtype
    # The model's own products: rounding aside, whatever differs comes after them
    products = model.get_output_embeddings()(hidden.to(dtype)).clone()  # Mamba's may be float32
    logits = LogitTransformation.of(model).apply_(products)
    # A few roundings of the largest logit, and of a sum for the loss
    eps = max(torch.finfo(kind).eps for kind in (dtype, expected.logits.dtype))
    _check(model, "logits", logits, expected.logits, 4 * eps * float(expected.logits.abs().max()))

    calls = [call]
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature.parameters.values()):
        calls.append(call | {"num_items_in_batch": 3})
    if _can_balance(model, call):
        calls.append(call | {"output_router_logits": True})
    # In evaluation mode there is no z-loss
    for each in calls:
        theirs, ours = original(model, **each).loss, fused.output(model, each)["loss"]
        _check(model, "loss", ours, theirs, 16 * eps * max(1.0, float(theirs.abs())))
    if type(model.get_output_embeddings()) is nn.Linear and dtype != torch.float32:
        _compare_in_float32(model, fused, calls, hidden)
    return fused


def _compare_in_float32(
    model: PreTrainedModel, fused: FusedForward, calls: list[dict[str, Any]], hidden: Tensor
) -> None:
    """Compare again with an output layer in float32: in 16 bits, small factors are hidden."""
    plain = replace(fused, settings=replace(fused.settings, backend=LossBackend.TORCH))
    layer, after = model.get_output_embeddings(), LogitTransformation.of(model)
    for each in calls:
        with layer_in_float32(layer) as entered:
            expected = type(model).forward(model, **each)
        tolerance = 8 * torch.finfo(entered[-1].dtype).eps * float(hidden.abs().max())
        _check(model, "states", hidden, entered[-1], tolerance)
        products = products_in_float32(entered[-1], layer.weight)
        logits = after.apply_(products if layer.bias is None else products.add_(layer.bias))
        eps = torch.finfo(expected.logits.dtype).eps
        tolerance = 32 * eps * max(1.0, float(expected.logits.abs().max()))
        _check(model, "logits", logits, expected.logits, tolerance)
        ours = plain.output(model, each, in_float32=True)["loss"]
        _check(model, "loss", ours, expected.loss, 64 * eps * max(1.0, float(expected.loss.abs())))


def _few_tokens(model: PreTrainedModel) -> dict[str, Any]:
    rows = model.config.get_text_config(decoder=True).vocab_size
    ids = torch.arange(1, 1 + _BATCH * _LENGTH, device=model.device) * 7 % rows
    ids = ids.view(_BATCH, _LENGTH)
    labels = ids.clone()
    # Means are over what counts, which one text has less of than the other
    labels[0, -2:] = LM_IGNORE_INDEX
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}


def _can_balance(model: PreTrainedModel, call: dict[str, Any]) -> bool:
    """Whether there is an auxiliary loss that a later call may ask for.

    One that is not known is refused when it is asked for, by config now or by a call later.
    """
    if model.config.is_encoder_decoder:
        return False
    if not hasattr(model.config.get_text_config(), "output_router_logits"):
        return False
    asked = call | {"output_router_logits": True}
    try:
        balance_loss(
            model, type(model).forward(model, **asked).router_logits, call["attention_mask"]
        )
    except Exception:  # theirs fails as well where the tiny call has nothing to balance
        if wants_router_logits(model, None):
            raise
        return False
    return True


def _check(
    model: PreTrainedModel, what: str, ours: Tensor, theirs: Tensor, tolerance: float
) -> None:
    if ours.shape != theirs.shape or not torch.allclose(
        ours.float(), theirs.float(), rtol=0.0, atol=tolerance, equal_nan=True
    ):
        raise UnsupportedModelError(
            f"The {what} of {type(model).__name__} would not be the same without its own forward: "
            "it does something between base model and loss that is not known here; train it "
            "unpatched."
        )


@contextmanager
def _as_in_evaluation(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, and nothing left behind."""
    modes = [(module, module.training) for module in model.modules()]
    device = next(model.parameters()).device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        model.eval()
        try:
            yield
        finally:
            for module, training in modes:
                module.training = training
