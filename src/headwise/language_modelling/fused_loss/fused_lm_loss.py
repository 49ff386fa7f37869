"""Transformers' language models whose loss builds no logits."""

from typing import TypeVar

from transformers import PreTrainedModel

from headwise.errors import TrainingError, UnsupportedModelError
from headwise.functional import LossBackend
from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES
from headwise.language_modelling.fused_loss.fused_forward import FusedForward, FusedLoss
from headwise.language_modelling.fused_loss.fused_loss_check import (
    check_loss_options,
    check_model,
    checked_forward,
)
from headwise.language_modelling.fused_loss.model_methods import ModelMethod
from headwise.language_modelling.fused_loss.output_layer import plain_output_layer

Model = TypeVar("Model", bound=PreTrainedModel)


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

    The model itself is changed, not a copy; deep copies and pickles of it are patched too. Patch
    before anything wraps the model (PEFT, Accelerate, DDP, ``torch.compile``). With
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
        ImportError: If the backend is not installed.
        TypeError: If a setting is of another type.
        ValueError: If a setting is out of range, or the backend cannot compute this model's loss.
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
    check_model(model)
    check_loss_options(model, backend=backend, workspace_bytes=workspace_bytes, z_loss=z_loss)
    settings = FusedLoss(
        backend=LossBackend(backend),
        workspace_bytes=workspace_bytes,
        z_loss=z_loss,
        keep_eval_logits=keep_eval_logits,
    )
    model.forward = ModelMethod(checked_forward(model, settings), model)
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
            "since; remove that wrapper first (Accelerate in mixed precision: "
            "`accelerator.unwrap_model(model, keep_fp32_wrapper=False)`)."
        )
    del model.forward
    return model


def is_patched(model: PreTrainedModel) -> bool:
    """Whether a model's forward is the one of :func:`patch_lm_loss`."""
    # Accelerate binds the function anew when it unwraps a model, as a method of its own
    return isinstance(getattr(vars(model).get("forward"), "__func__", None), FusedForward)
