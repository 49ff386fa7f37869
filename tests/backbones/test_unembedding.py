"""The unembedding of every supported architecture, against the model's own logits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from random_language_models import HIDDEN, VOCABULARY, random_model
from torch import Tensor, nn
from transformers import PreTrainedModel

from headwise.backbones import CausalBackbone, EncoderDecoderBackbone, Unembedding
from headwise.errors import UnsupportedModelError

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}

CAUSAL = (
    *("llama", "qwen3", "olmo2", "gemma2", "gemma3", "granite", "cohere2"),
    *("gpt2", "mistral", "phi", "phi3", "recurrent-gemma", "llama4"),
)
ENCODER_DECODER = (
    *("t5-tied", "t5-untied", "umt5", "switch", "marian", "mbart", "m2m100", "whisper"),
)


def no_tokenizer() -> Any:
    """What a backbone reads off its tokeniser where no text is involved."""
    return SimpleNamespace(
        all_special_tokens=[],
        all_special_ids=[],
        added_tokens_decoder={},
        model_max_length=10**30,
        is_fast=True,
    )


@contextmanager
def only_hidden_states(model: PreTrainedModel) -> Iterator[None]:
    """Fail if the output layer runs, or if somebody asks for the hidden states of all layers."""

    def refuse(*_: Any) -> None:
        raise AssertionError("the output layer ran")

    def look(_: nn.Module, __: Any, inputs: dict[str, Any], output: Any) -> None:
        assert not inputs.get("output_hidden_states")
        assert getattr(output, "hidden_states", None) is None

    handles = [
        model.get_output_embeddings().register_forward_pre_hook(refuse),
        model.get_decoder().register_forward_hook(look, with_kwargs=True),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@pytest.mark.parametrize("name", CAUSAL)
@torch.inference_mode()
def test_causal_unembedding_gives_the_models_own_logits(name: str) -> None:
    model = random_model(name).eval()
    backbone = CausalBackbone(model, no_tokenizer())
    ids = torch.randint(3, VOCABULARY, (2, 9))

    with only_hidden_states(model):
        hidden = backbone.hidden_states(ids)

    assert hidden.shape == (2, 9, backbone.hidden_size) == (2, 9, HIDDEN)
    check_logits(backbone.unembedding, hidden, model(input_ids=ids).logits)


@pytest.mark.parametrize("name", ENCODER_DECODER)
@torch.inference_mode()
def test_encoder_decoder_unembedding_gives_the_models_own_logits(name: str) -> None:
    model = random_model(name).eval()
    backbone = EncoderDecoderBackbone(model, no_tokenizer())
    decoder_ids = torch.randint(3, VOCABULARY, (2, 7))
    inputs: dict[str, Tensor]
    if name == "whisper":
        inputs = {"input_features": torch.randn(2, 4, 12)}
    else:
        mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
        inputs = {"input_ids": torch.randint(3, VOCABULARY, (2, 5)), "attention_mask": mask}

    with only_hidden_states(model):
        hidden = backbone.hidden_states(decoder_ids, **inputs)

    assert hidden.shape == (2, 7, backbone.hidden_size) == (2, 7, HIDDEN)
    check_logits(
        backbone.unembedding, hidden, model(decoder_input_ids=decoder_ids, **inputs).logits
    )


def check_logits(unembedding: Unembedding, hidden: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(unembedding(hidden), expected, **TOLERANCE)
    flat = hidden.flatten(0, 1)
    wanted = torch.randint(0, VOCABULARY, (len(flat), 3))
    torch.testing.assert_close(
        unembedding.gathered(flat, wanted), expected.flatten(0, 1).gather(1, wanted), **TOLERANCE
    )


def test_the_parameters_under_test_are_not_trivial() -> None:
    """Each of bias, scale and soft-cap is used by some architecture, or the parity says little."""
    names = ("phi", "granite", "cohere2", "gemma2", "gemma3", "marian")
    read = {name: Unembedding.of(random_model(name)) for name in names}
    assert read["phi"].bias is not None
    assert bool(read["phi"].bias.abs().gt(0.01).any())
    assert read["granite"].scale == pytest.approx(1 / 0.37)
    assert read["cohere2"].scale == 0.0625
    assert (read["gemma2"].softcap, read["gemma3"].softcap) == (1.5, 2.0)
    assert read["marian"].bias is not None
    assert bool(read["marian"].bias.abs().gt(0.01).any())


@torch.inference_mode()
def test_the_weight_is_shared_and_bfloat16_is_kept() -> None:
    model = random_model().eval().to(torch.bfloat16)
    backbone = CausalBackbone(model, no_tokenizer())
    assert backbone.unembedding.weight.data_ptr() == model.lm_head.weight.data_ptr()
    hidden = backbone.hidden_states(torch.tensor([[3, 4, 5]]))
    assert hidden.dtype == backbone.unembedding(hidden).dtype == backbone.dtype == torch.bfloat16


ODD_TRANSFORMATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "one more scale": lambda logits: logits * 1.001,
    "a token that is never written": lambda logits: logits.index_fill(-1, torch.tensor(7), -1e9),
    "a temperature a token": lambda logits: logits * torch.linspace(0.9, 1.1, VOCABULARY),
    "fewer rows": lambda logits: logits[..., :-1],
}


HALVES = (torch.bfloat16, torch.float16)


@pytest.mark.parametrize("dtype", [torch.float32, *HALVES])
@pytest.mark.parametrize("name", ODD_TRANSFORMATIONS)
def test_an_unknown_transformation_of_logits_is_refused(name: str, dtype: torch.dtype) -> None:
    model = random_model().eval().to(dtype)
    transform = ODD_TRANSFORMATIONS[name]
    model.lm_head.register_forward_hook(lambda _, __, logits: transform(logits))
    backbone = CausalBackbone(model, no_tokenizer())
    with pytest.raises(
        UnsupportedModelError, match=r"LlamaForCausalLM .*only the signal 'sigmoid'"
    ):
        _ = backbone.unembedding


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", [*CAUSAL, *ENCODER_DECODER])
def test_models_in_16_bits_pass_their_check(name: str, dtype: torch.dtype) -> None:
    model = random_model(name).eval().to(dtype)
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(20)  # logits whose steps in 16 bits are large
    kind = EncoderDecoderBackbone if name in ENCODER_DECODER else CausalBackbone
    assert kind(model, no_tokenizer()).unembedding.weight.dtype == dtype
    assert "forward" not in vars(model.get_output_embeddings())


def test_a_scale_in_front_of_the_output_layer_is_refused() -> None:
    model = random_model().eval()
    model.lm_head.register_forward_pre_hook(lambda _, inputs: (inputs[0] * 1.1,))
    with pytest.raises(UnsupportedModelError, match="only the signal 'sigmoid'"):
        _ = CausalBackbone(model, no_tokenizer()).unembedding


def test_a_model_without_an_output_layer_is_refused() -> None:
    model = random_model().model
    with pytest.raises(UnsupportedModelError):
        CausalBackbone(model, no_tokenizer())
    with pytest.raises(UnsupportedModelError, match="no linear output layer"):
        Unembedding.of(model)
