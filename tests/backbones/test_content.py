"""Digests of what is loaded: the same for the same content, another one for any other."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from accelerate import disk_offload
from tiny_encoders import tiny_encoder
from tiny_models import byte_level, tiny_llama
from torch import nn
from transformers import PreTrainedModel

from headwise.backbones import CausalBackbone, EncoderBackbone, weights_digest
from headwise.backbones.content import configuration_digest, tokenizer_digest


@pytest.fixture
def model() -> PreTrainedModel:
    return tiny_llama(byte_level())


def test_a_single_value_makes_another_digest(model: PreTrainedModel) -> None:
    before = weights_digest(model)
    assert weights_digest(tiny_llama(byte_level())) == before
    weight = model.get_input_embeddings().weight
    with torch.no_grad():
        old = weight[-1, -1].item()
        weight[-1, -1] = torch.nextafter(weight[-1, -1], torch.tensor(9.0))
        assert weights_digest(model) != before
        weight[-1, -1] = old
        assert weights_digest(model) == before
        weight[[0, 1]] = weight[[1, 0]]  # the same values in other places
    assert weights_digest(model) != before


def test_type_shape_and_name_count() -> None:
    values = torch.arange(6.0)

    def of(name: str, tensor: torch.Tensor) -> str:
        module = nn.Module()
        module.register_buffer(name, tensor)
        return weights_digest(module)

    others = [
        of("a", values),
        of("b", values),
        of("a", values.reshape(2, 3)),
        of("a", values.reshape(2, 3).T),
        of("a", values.bfloat16()),
        of("a", torch.tensor(0.0)),
        of("a", torch.empty(0)),
    ]
    assert len(set(others)) == len(others)
    # A view is known by its values, wherever they lie
    assert of("a", torch.arange(12.0)[::2] / 2) == others[0]


def test_weights_kept_on_disk_are_read(model: PreTrainedModel, tmp_path: Path) -> None:
    before = weights_digest(model)
    away = disk_offload(model, tmp_path / "away", execution_device="cpu")
    assert any(tensor.is_meta for tensor in away.state_dict().values())
    assert weights_digest(away) == before


def test_configuration_without_what_says_where_it_came_from(model: PreTrainedModel) -> None:
    before = configuration_digest(model)
    model.config._name_or_path = "elsewhere"
    model.config.use_cache = False
    assert configuration_digest(model) == before
    model.config.rms_norm_eps *= 2
    assert configuration_digest(model) != before


def test_an_adapters_strength_counts(model: PreTrainedModel) -> None:
    def adapted(alpha: int) -> str:
        layers = {"q_proj", "v_proj"}
        model.peft_config = {"default": SimpleNamespace(lora_alpha=alpha, target_modules=layers)}
        return configuration_digest(model)

    assert adapted(4) == adapted(4)
    assert adapted(4) != adapted(8)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.add_tokens(["Strandkorb"]),
        lambda t: setattr(t, "chat_template", "{{ messages }}"),
        lambda t: setattr(t, "eos_token", "<unk>"),
    ],
)
def test_tokeniser(change: Callable[[object], object]) -> None:
    tokenizer = byte_level()
    before = tokenizer_digest(tokenizer)
    tokenizer(["A dog runs.", "A dog"], max_length=3, truncation=True)
    assert tokenizer_digest(tokenizer) == before  # what a call asked for is no content
    change(tokenizer)
    assert tokenizer_digest(tokenizer) != before


def test_content_of_backbones(model: PreTrainedModel) -> None:
    told = CausalBackbone(model, byte_level()).content()
    assert told["dtype"] == "float32"
    half = CausalBackbone(tiny_llama(byte_level()).bfloat16(), byte_level()).content()
    differing = {name for name in told if told[name] != half[name]}
    assert differing == {"dtype", "model weights"}
    encoders = [
        EncoderBackbone(*tiny_encoder("bert")).content(),
        EncoderBackbone(*tiny_encoder("bert"), normalise=False).content(),
        EncoderBackbone(*tiny_encoder("bert"), max_length=7).content(),
    ]
    assert len({str(content) for content in encoders}) == 3
    assert EncoderBackbone(*tiny_encoder("bert")).content() == encoders[0]
