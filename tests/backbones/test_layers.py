"""Hidden states of any layer: as a whole pass has them, without what lies above."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import torch
from random_language_models import random_model
from tiny_models import byte_level
from torch import Tensor, nn

from headwise.backbones import CausalBackbone, EncodedPair, EncoderDecoderBackbone
from headwise.backbones.layers import watched
from headwise.errors import UnsupportedModelError

IDS = torch.tensor([[5, 9, 13, 7, 11, 6], [8, 7, 44, 31, 22, 60]])


def causal(name: str = "llama", **changes: int) -> CausalBackbone:
    return CausalBackbone(random_model(name, **changes), byte_level())


@contextmanager
def calls_counted(backbone: CausalBackbone | EncoderDecoderBackbone) -> Iterator[list[int]]:
    """Numbers of the layers that run, -1 for the output layer."""
    run: list[int] = []
    numbers = [*range(len(backbone.layer_widths) - 1), -1]
    modules = backbone.layer_modules(numbers)
    handles = [
        module.register_forward_hook(lambda *_, number=number: run.append(number))
        for number, module in modules.items()
    ]
    yield run
    for handle in handles:
        handle.remove()


def no_hooks_left(model: nn.Module) -> bool:
    return not any(module._forward_pre_hooks for module in model.modules())


def assert_close(found: Tensor, right: Tensor) -> None:
    assert found.shape == right.shape
    assert (found - right).abs().max() <= 1e-5 * right.abs().max()


@pytest.mark.parametrize("name", ["llama", "gemma3", "gpt2", "opt", "qwen3-next", "bert"])
def test_every_layer_is_what_a_whole_pass_has(name: str) -> None:
    backbone = causal(name)
    with torch.inference_mode():
        whole = backbone.model(IDS, output_hidden_states=True).hidden_states
        assert backbone.layer_widths == tuple(state.shape[-1] for state in whole)
        assert backbone.model.config.num_hidden_layers == len(whole) - 1
        with calls_counted(backbone) as run:
            for number, right in enumerate(whole):
                run.clear()
                assert_close(backbone.hidden_states(IDS, layers=(number,)), right)
                # What number n enters is layer n, counted from 0
                assert run == list(range(number))
                assert_close(backbone.hidden_states(IDS, layers=[number - len(whole)]), right)
        both = backbone.hidden_states(IDS, layers=(-1, 1))
        assert_close(both, torch.cat([whole[-1], whole[1]], dim=-1))
    assert no_hooks_left(backbone.model)


@pytest.mark.parametrize("name", ["bart", "t5-tied", "whisper"])
def test_layers_of_an_encoder_decoder_are_those_of_its_decoder(name: str) -> None:
    backbone = EncoderDecoderBackbone(random_model(name), byte_level())
    inputs = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}
    if name == "whisper":
        inputs = {"input_features": torch.randn(2, 4, 12)}
    with torch.inference_mode():
        whole = backbone.model(decoder_input_ids=IDS, output_hidden_states=True, **inputs)
        for number, right in enumerate(whole.decoder_hidden_states[:-1]):
            assert_close(backbone.hidden_states(IDS, layers=(number,), **inputs), right)
        with calls_counted(backbone) as run:
            backbone.hidden_states(IDS, layers=(1,), **inputs)
        assert run == [0]
        # T5 scales what enters its output layer
        last = backbone.hidden_states(IDS, layers=(2, 1), **inputs)[..., : backbone.hidden_size]
        assert torch.equal(last, backbone.hidden_states(IDS, **inputs))


@pytest.mark.parametrize("layers", [(3,), (-4,), (1, 7), (), (True,), ("1",), (1.0,)])
def test_a_layer_that_does_not_exist_is_refused(layers: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"from -3 to 2, since the model has 2 layers"):
        causal().hidden_states(IDS, layers=layers)


def test_a_model_that_counts_its_layers_otherwise_gives_its_last_alone() -> None:
    backbone = causal("mamba")
    with pytest.raises(UnsupportedModelError, match=r"MambaForCausalLM cannot be read one by one"):
        backbone.hidden_states(IDS, layers=(1,))
    assert torch.equal(backbone.hidden_states(IDS, layers=(-1,)), backbone.hidden_states(IDS))


@pytest.mark.parametrize("name", ["llama", "gemma3", "gpt2", "opt"])
@pytest.mark.parametrize("layers", [(0,), (1,), (1, -1)])
def test_a_shared_prompt_gives_what_each_text_has_alone(name: str, layers: tuple[int]) -> None:
    backbone = causal(name)
    prompt, texts = (5, 6, 7, 8, 9), ((10, 11, 12), (13, 14), (15,))
    pairs = [EncodedPair((*prompt, *text[:-1]), 4, text, ()) for text in texts]
    with torch.inference_mode():
        alone = torch.cat([backbone.target_hidden([pair], layers=layers) for pair in pairs])
        for found in (
            backbone.target_hidden(pairs, layers=layers),
            backbone.shared_prompt_hidden(pairs, layers=layers),
        ):
            torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-4)


def test_an_error_below_leaves_nothing_in_the_model() -> None:
    backbone = causal()
    right = backbone.hidden_states(IDS, layers=(1,))
    with pytest.raises(IndexError):
        backbone.hidden_states(torch.tensor([[10_000]]), layers=(1,))
    assert no_hooks_left(backbone.model)
    assert torch.equal(backbone.hidden_states(IDS, layers=(1,)), right)


def test_threads_that_share_a_model_do_not_see_each_other() -> None:
    backbone = causal(num_hidden_layers=4)
    asked = [(1,), (-1,), (3, 0), (2,)] * 8
    right = {layers: backbone.hidden_states(IDS, layers=layers) for layers in asked}
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda layers: backbone.hidden_states(IDS, layers=layers), asked))
    for layers, hidden in zip(asked, found, strict=True):
        assert_close(hidden, right[layers])
    assert no_hooks_left(backbone.model)


def test_a_hook_that_another_thread_is_about_to_remove_does_no_harm() -> None:
    module, seen = torch.nn.Identity(), []
    with watched({0: module}, lambda number, hidden: seen.append((number, float(hidden)))):
        module._forward_pre_hooks_with_kwargs.clear()  # what PyTorch does first
        assert module(torch.ones(())) == 1
    assert seen == [(0, 1.0)]
