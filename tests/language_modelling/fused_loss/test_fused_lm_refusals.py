"""Models and calls that the loss without logits refuses, and why."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from random_language_models import SIZES, random_model
from torch import nn
from transformers import LlamaForCausalLM

from headwise.errors import TrainingError, UnsupportedModelError
from headwise.language_modelling.fused_loss.fused_lm_loss import patch_lm_loss, unpatch_lm_loss


def no_output_layer() -> nn.Module:
    return transformers.LlamaModel(transformers.LlamaConfig(**SIZES))


def odd_logits() -> nn.Module:
    model = random_model()
    model.lm_head.register_forward_hook(lambda _, __, logits: logits.clamp(max=0.1))
    return model


def other_loss() -> nn.Module:
    model = random_model()
    model.loss_function = lambda **_: torch.zeros(())
    return model


def odd_scale() -> nn.Module:
    """An architecture whose scale has a name that nobody told us about."""

    class Odd(transformers.LlamaForCausalLM):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            output = super().forward(*args, **kwargs)
            output["logits"] = output.logits * 1.001
            return output

    return Odd(transformers.LlamaConfig(**SIZES))


def replaced_forward() -> nn.Module:
    model = random_model()
    model.forward = model.forward
    return model


def on_meta() -> nn.Module:
    with torch.device("meta"):
        return random_model()


REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "no language model": (lambda: nn.Linear(2, 2), "got Linear"),
    "no output layer": (no_output_layer, "output layer of LlamaModel is none"),
    "no base model": (
        lambda: random_model("t5-tied"),
        "T5ForConditionalGeneration has no base model",
    ),
    "hooks on the output layer": (odd_logits, "would not be the same"),
    "another loss": (other_loss, "ForCausalLMLoss"),
    "another scale": (odd_scale, "logits of Odd would not be the same"),
    "another forward": (replaced_forward, "patch the model first"),
    "no weights": (on_meta, "meta"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_wrong_is_refused(name: str) -> None:
    build, message = REFUSED[name]
    with pytest.raises(UnsupportedModelError, match=message):
        patch_lm_loss(build())


def test_patching_twice_and_unpatching_twice_are_refused() -> None:
    model = patch_lm_loss(random_model())
    with pytest.raises(TrainingError, match="patched already"):
        patch_lm_loss(model)
    unpatch_lm_loss(model)
    with pytest.raises(TrainingError, match="not patched"):
        unpatch_lm_loss(model)


SETTINGS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "backend": ({"backend": "ccx"}, ValueError, "'auto', 'torch', 'core', 'cce', 'liger'.*'ccx'"),
    "backend's device": ({"backend": "cce"}, ValueError, "'cce' needs a device of type 'cuda'"),
    "backend's options": ({"backend": "core", "z_loss": 0.1}, ValueError, "'core' has no z_loss"),
    "no workspace": ({"workspace_bytes": 0}, ValueError, "`workspace_bytes`.*at least 1, got 0"),
    "small workspace": (
        {"workspace_bytes": 10, "backend": "torch"},
        ValueError,
        "`workspace_bytes` must be at least .* one position of this vocabulary, got 10",
    ),
    "text for bytes": ({"workspace_bytes": "1 GB"}, TypeError, "`workspace_bytes`.*'1 GB'"),
    "z-loss below 0": ({"z_loss": -0.1}, ValueError, "`z_loss` must be at least 0.*-0.1"),
    "no z-loss": ({"z_loss": float("nan")}, ValueError, "`z_loss`.*got nan"),
    "text for z-loss": ({"z_loss": "0.1"}, TypeError, "`z_loss` must be a number, got str"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_wrong_settings_do_not_blame_the_model(name: str) -> None:
    options, kind, message = SETTINGS[name]
    model = random_model()
    with pytest.raises(kind, match=message) as caught:
        patch_lm_loss(model, **options)
    assert not isinstance(caught.value, UnsupportedModelError)
    assert "forward" not in vars(model)


class LouderLoss(LlamaForCausalLM):
    """Its loss is a hundredth larger, which a type of 16 bits hides."""

    def forward(self, *args: Any, **inputs: Any) -> Any:
        output = super().forward(*args, **inputs)
        if output.loss is not None:
            output.loss = output.loss * 1.01
        return output


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_what_16_bits_hide_is_found(dtype: torch.dtype) -> None:
    model = random_model().to(dtype)
    patch_lm_loss(model)
    model = random_model().to(dtype)
    model.lm_head.register_forward_hook(lambda _, __, logits: logits * 1.005)
    with pytest.raises(UnsupportedModelError, match="logits of LlamaForCausalLM"):
        patch_lm_loss(model)
    model = LouderLoss(random_model().config).to(dtype)
    with pytest.raises(UnsupportedModelError, match="loss of LouderLoss"):
        patch_lm_loss(model)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["gemma2", "cohere", "phi", "bart", "mamba", "mixtral-balanced"])
def test_models_in_16_bits_are_patched(name: str, dtype: torch.dtype) -> None:
    model = random_model(name).to(dtype)
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(20)
    patch_lm_loss(model)
    assert "forward" not in vars(model.get_output_embeddings())
