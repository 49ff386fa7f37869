"""Transformers' language models whose loss builds no logits."""

import functools
import inspect
from collections.abc import Callable
from types import MethodType
from typing import Any, TypeVar
from weakref import WeakSet

from transformers import PreTrainedModel

from headwise.errors import TrainingError, UnsupportedModelError
from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES
from headwise.functional.loss_backends import LossBackend
from headwise.training.language_modelling.fused_forward import (
    FusedLoss,
    OwnForward,
    fused_output,
    needs_logits,
)
from headwise.training.language_modelling.fused_loss_check import checked_forward
from headwise.training.language_modelling.output_layer import plain_output_layer

Model = TypeVar("Model", bound=PreTrainedModel)
Forward = Callable[..., Any]

# Which functions are ours; a deep copy of a model shares its function with the original
_FORWARDS: "WeakSet[Forward]" = WeakSet()


def patch_lm_loss(
    model: Model,
    *,
    backend: LossBackend | str = LossBackend.AUTO,
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
    z_loss: float = 0.0,
    keep_eval_logits: bool = False,
) -> Model:
    """Let a language model compute its loss without building ``(B, T, V)`` logits.

    ``model(input_ids, labels=labels).loss`` and its gradients stay the same to rounding;
    ``.logits`` is ``None``. Calls without ``labels`` or with ``logits_to_keep``, and so
    ``generate``, run the model's own forward. One thing differs: where every label is ignored the
    loss is 0, not NaN.

    The model itself is changed, not a copy; a deep copy of it is patched too. Patch before
    anything wraps the model (PEFT, Accelerate, DDP, ``torch.compile``). With
    ``torch.nn.DataParallel`` it does not work, as any forward that belongs to one instance; use
    DDP.

    In ``transformers.Trainer``, training and evaluation of the loss need nothing else. A
    ``compute_metrics`` that reads predictions needs ``keep_eval_logits=True``; without, Trainer
    hands it an empty tuple.
    ``label_smoothing_factor`` and ``compute_loss_func`` take the labels away from the model and
    read logits: they work as without the patch, at the memory of all logits.

    The auxiliary loss of mixtures of experts is added where ``output_router_logits`` asks for it.

    Args:
        model: A Transformers causal language model, or an encoder-decoder of BART's family. Its
            output layer is ``nn.Linear`` or :class:`~headwise.heads.SplitLanguageModellingHead`.
        backend: Who computes linear cross-entropy.
        workspace_bytes: Budget for the logits that live at one time.
        z_loss: Weight of the squared logsumexp. It is added in training mode only, so that
            evaluation losses stay comparable.
        keep_eval_logits: Keep the model's own forward in evaluation mode.

    Returns:
        ``model``.

    Raises:
        UnsupportedModelError: If ``model`` is no such model, or its loss of a few tokens is not
            the same with and without the patch.
        TrainingError: If the model is patched already.
    """
    if not isinstance(model, PreTrainedModel):
        raise UnsupportedModelError(
            f"`model` must be a Transformers language model, got {type(model).__name__}; patch "
            "the model inside a wrapper (PEFT: `model.get_base_model()`, DDP: `model.module`)."
        )
    if is_patched(model):
        raise TrainingError(
            f"This {type(model).__name__} is patched already; call `unpatch_lm_loss(model)` first "
            "to patch it with other settings."
        )
    if "forward" in vars(model):
        raise UnsupportedModelError(
            f"The forward of this {type(model).__name__} has been replaced (Accelerate does so "
            "in mixed precision or with a `device_map` of several devices); patch the model first."
        )
    plain_output_layer(model)
    settings = FusedLoss(
        backend=LossBackend(backend),
        workspace_bytes=workspace_bytes,
        z_loss=z_loss,
        keep_eval_logits=keep_eval_logits,
    )
    original = type(model).forward
    own = checked_forward(model, original, settings)
    model.forward = MethodType(_fused_forward(original, settings, own), model)
    return model


def unpatch_lm_loss(model: Model) -> Model:
    """Give a patched model its own forward back.

    Args:
        model: What :func:`patch_lm_loss` returned.

    Returns:
        ``model``.

    Raises:
        TrainingError: If the model is not patched, or its forward has been wrapped since.
    """
    if not is_patched(model):
        raise TrainingError(
            f"This {type(model).__name__} is not patched, or something has wrapped its forward "
            "since; remove that wrapper first (Accelerate: `accelerator.unwrap_model(model)`)."
        )
    del model.forward
    return model


def is_patched(model: PreTrainedModel) -> bool:
    """Whether a model's forward is the one of :func:`patch_lm_loss`."""
    forward = vars(model).get("forward")
    return isinstance(forward, MethodType) and forward.__func__ in _FORWARDS


def _fused_forward(original: Forward, settings: FusedLoss, own: OwnForward) -> Forward:
    """The new forward, with the signature of the old one: Trainer reads columns off it."""
    names = tuple(inspect.signature(original).parameters)[1:]

    @functools.wraps(original)
    def forward(self: PreTrainedModel, *args: Any, **kwargs: Any) -> Any:
        call = {**dict(zip(names, args, strict=False)), **kwargs}
        if needs_logits(self, call, settings):
            return original(self, *args, **kwargs)
        return fused_output(self, call, settings, own)

    _FORWARDS.add(forward)
    return forward
