"""A model without its layers: what is read of its files, and what is refused."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import byte_level, tiny_llama
from transformers import BartConfig, GPT2Config, GPT2LMHeadModel

from headwise.backbones.loading.layerless import final_norm, load_layerless
from headwise.errors import UnsupportedModelError, WeightsError


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model")
    tokenizer = byte_level()
    model = tiny_llama(tokenizer)
    if not request.param:
        model.config.tie_word_embeddings = False
        model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.lm_head.weight))
    model.save_pretrained(place, max_shard_size="20KB")
    tokenizer.save_pretrained(place)
    return place


def stored(folder: Path) -> dict[str, torch.Tensor]:
    return {k: v for path in folder.glob("*.safetensors") for k, v in load_file(path).items()}


def test_output_layer_and_norm_have_the_numbers_of_the_files(folder: Path) -> None:
    parts = load_layerless(folder)
    tensors = stored(folder)
    own = tensors.get("lm_head.weight", tensors["model.embed_tokens.weight"])
    output = parts.model.get_output_embeddings()
    assert torch.equal(output.weight, own)
    assert parts.norm is not None
    assert torch.equal(parts.norm.weight, tensors["model.norm.weight"])
    layers = parts.model.model.layers
    assert all(parameter.is_meta for parameter in layers.parameters())


def test_files_of_the_layers_are_not_opened(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    index = json.loads((copy / "model.safetensors.index.json").read_text())["weight_map"]
    needed = {index.get("lm_head.weight", index["model.embed_tokens.weight"])}
    needed.add(index["model.norm.weight"])
    others = set(index.values()) - needed
    assert others
    for name in others:
        (copy / name).write_bytes(b"never read")
    assert torch.equal(
        load_layerless(copy).model.get_output_embeddings().weight,
        load_layerless(folder).model.get_output_embeddings().weight,
    )


def damaged(folder: Path, tmp_path: Path, **changes: torch.Tensor | None) -> Path:
    copy = tmp_path / "damaged"
    copy.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(folder / name, copy)
    tensors = stored(folder)
    for name, tensor in changes.items():
        for own in ("lm_head.weight", "model.embed_tokens.weight"):
            if name == "output" and tensor is None:
                tensors.pop(own, None)
            elif name == "output" and own in tensors:
                tensors[own] = tensor.clone()
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    return copy


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (None, "there is none"),
        (torch.zeros(3, 4), r"it is \(3, 4\)"),
    ],
)
def test_output_layer_that_does_not_fit_is_refused(
    folder: Path, tmp_path: Path, output: torch.Tensor | None, said: str
) -> None:
    with pytest.raises(WeightsError, match=said):
        load_layerless(damaged(folder, tmp_path, output=output))


def test_numbers_that_are_not_finite_are_refused(folder: Path, tmp_path: Path) -> None:
    shape = load_layerless(folder).model.get_output_embeddings().weight.shape
    copy = damaged(folder, tmp_path, output=torch.full(shape, float("nan")))
    with pytest.raises(WeightsError, match="not finite"):
        load_layerless(copy)


def test_encoder_decoders_are_refused(tmp_path: Path) -> None:
    BartConfig(d_model=8, encoder_layers=1, decoder_layers=1).save_pretrained(tmp_path)
    byte_level().save_pretrained(tmp_path)
    with pytest.raises(UnsupportedModelError, match="an encoder and a decoder"):
        load_layerless(tmp_path)


def test_adapters_are_refused(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": "x/y", "peft_type": "LORA"})
    )
    with pytest.raises(UnsupportedModelError, match="merge"):
        load_layerless(tmp_path)


def test_final_norms_are_found_by_their_place() -> None:
    config = GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=11)
    with torch.device("meta"):
        model = GPT2LMHeadModel(config)
    assert final_norm(model) is model.transformer.ln_f
    # A projection behind the norm: what stands in front of the output layer is no norm alone
    model.transformer.project = torch.nn.Linear(8, 8)
    assert final_norm(model) is None
