"""What a checkpoint must hold: every tensor of the model, of its shape, finite, from its folder."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_encoders import tiny_encoder
from tiny_models import byte_level, tiny_llama
from torch import Tensor
from transformers import AutoModel, BertForMaskedLM, T5Config, T5ForConditionalGeneration

from headwise.backbones import load_backbone, load_encoder
from headwise.errors import UnknownModelError, UnsupportedModelError, WeightsError
from headwise.heads import SigmoidHead, load_head, save_head

Tensors = dict[str, Tensor]


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    tokenizer = byte_level()
    for part in (tiny_llama(tokenizer, num_hidden_layers=2), tokenizer):
        part.save_pretrained(folder)
    return folder


@pytest.fixture
def llama(llama_folder: Path, tmp_path: Path) -> Path:
    """A folder of a tiny Llama that a test may change."""
    return Path(shutil.copytree(llama_folder, tmp_path / "llama"))


def edit(folder: Path, change: Callable[[Tensors], Any]) -> None:
    file = folder / "model.safetensors"
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file, metadata={"format": "pt"})


def configure(folder: Path, **entries: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def drop(part: str) -> Callable[[Tensors], None]:
    def change(tensors: Tensors) -> None:
        for name in [name for name in tensors if part in name]:
            del tensors[name]

    return change


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("lm_head", r"lm_head\.weight"),
        ("layers.1.mlp", r"model\.layers\.1\.mlp\.down_proj\.weight"),
        ("norm", r"missing: .* and \d more|missing: "),
        ("", r"and 16 more"),
    ],
)
def test_missing_tensors_are_named(llama: Path, part: str, named: str) -> None:
    edit(llama, drop(part) if part else lambda t: [drop(n)(t) for n in list(t) if n != "x"])
    with pytest.raises(WeightsError, match=named):
        load_backbone(llama, device="cpu")


def test_a_base_model_lacks_its_output_layer_unless_it_is_tied(tmp_path: Path) -> None:
    tokenizer = byte_level()
    for tied in (True, False):
        model = tiny_llama(tokenizer, tie_word_embeddings=tied)
        model.model.save_pretrained(tmp_path / str(tied))
        tokenizer.save_pretrained(tmp_path / str(tied))
    loaded = load_backbone(tmp_path / "True", device="cpu").model
    assert loaded.lm_head.weight is loaded.model.embed_tokens.weight
    with pytest.raises(WeightsError, match=r"LlamaForCausalLM \(missing: lm_head\.weight\)"):
        load_backbone(tmp_path / "False", device="cpu")


@pytest.mark.parametrize("change", [{"intermediate_size": 80}, {"vocab_size": 430}])
def test_tensors_of_other_shapes_are_named(llama: Path, change: dict[str, int]) -> None:
    configure(llama, **change)
    with pytest.raises(WeightsError, match=r"weight must be \(\d+, \d+\), got \(\d+, \d+\)"):
        load_backbone(llama, device="cpu")


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"vocab_size": 10**12}, r"a model of \d[\d,]+ numbers, but its weights are"),
        ({"hidden_size": 2**40}, r"a model of \d[\d,]+ numbers, but its weights are"),
        ({"intermediate_size": 2**62}, "sizes that no memory holds|a model of"),
        (
            {"num_hidden_layers": 10**9},
            r"says `num_hidden_layers` is 1,000,000,000, but .* tensors",
        ),
    ],
    ids=str,
)
def test_sizes_that_no_file_fills_are_refused_before_memory_is_taken(
    llama: Path, sizes: dict[str, int], message: str
) -> None:
    configure(llama, **sizes)
    with pytest.raises(WeightsError, match=message):
        load_backbone(llama, device="cpu")


def test_layers_that_the_config_does_not_speak_of_are_named(llama: Path) -> None:
    configure(llama, num_hidden_layers=1)
    with pytest.raises(WeightsError, match=r"more layers .*: model\.layers\.1\.input_layernorm"):
        load_backbone(llama, device="cpu")
    configure(llama, num_nextn_predict_layers=1)
    assert load_backbone(llama, device="cpu").model.config.num_hidden_layers == 1
    edit(llama, lambda t: t.update({"vision.layers.7.mlp.up_proj.weight": torch.ones(1)}))
    load_backbone(llama, device="cpu")


def test_an_adapter_or_quantisation_left_among_the_weights_is_refused(llama: Path) -> None:
    layer = "model.layers.0.self_attn.q_proj"
    edit(llama, lambda t: t.update({f"{layer}.weight_scale": torch.ones(1)}))
    with pytest.raises(WeightsError, match=r"that its config lacks: .*q_proj\.weight_scale"):
        load_backbone(llama, device="cpu")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_weights_that_are_not_finite_are_named(llama: Path, bad: float, dtype: torch.dtype) -> None:
    def spoil(tensors: Tensors) -> None:
        for name, tensor in tensors.items():
            tensors[name] = tensor.to(dtype)
        tensors["model.layers.1.mlp.up_proj.weight"][7, 3] = bad

    edit(llama, spoil)
    with pytest.raises(WeightsError, match=r"not finite: model\.layers\.1\.mlp\.up_proj\.weight\."):
        load_backbone(llama, device="cpu", dtype=dtype)


def test_encoders_need_what_runs_alone(tmp_path: Path) -> None:
    encoder, tokenizer = tiny_encoder("bert")
    folder = tmp_path / "bert"
    for part in (encoder, tokenizer):
        part.save_pretrained(folder)
    edit(folder, drop("pooler"))
    right = load_encoder(folder, device="cpu").model.embeddings.word_embeddings.weight
    torch.testing.assert_close(right, encoder.embeddings.word_embeddings.weight)
    edit(folder, lambda t: t["embeddings.LayerNorm.bias"].fill_(float("nan")))
    with pytest.raises(WeightsError, match=r"not finite: embeddings\.LayerNorm\.bias"):
        load_encoder(folder, device="cpu")
    edit(folder, drop("layer.1."))
    with pytest.raises(WeightsError, match=r"missing: encoder\.layer\.1\..* and 11 more"):
        load_encoder(folder, device="cpu")


def test_an_encoder_alone_fills_an_encoder_decoder_that_is_used_as_encoder(tmp_path: Path) -> None:
    _, tokenizer = tiny_encoder("bert")
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    model = T5ForConditionalGeneration(T5Config(vocab_size=len(tokenizer), **sizes))
    for part in (model, tokenizer):
        part.save_pretrained(tmp_path)
    edit(tmp_path, drop("decoder"))
    load_encoder(tmp_path, device="cpu")
    with pytest.raises(WeightsError, match=r"missing: decoder\."):
        load_backbone(tmp_path, device="cpu")
    edit(tmp_path, drop("encoder.final_layer_norm"))
    with pytest.raises(WeightsError, match=r"missing: encoder\.final_layer_norm\.weight\)"):
        load_encoder(tmp_path, device="cpu")


def test_the_head_of_another_task_is_no_missing_part(tmp_path: Path) -> None:
    encoder, tokenizer = tiny_encoder("bert")
    masked = BertForMaskedLM(encoder.config)
    for part in (masked, tokenizer):
        part.save_pretrained(tmp_path)
    loaded = load_encoder(tmp_path, device="cpu").model
    theirs = AutoModel.from_pretrained(tmp_path, add_pooling_layer=False).state_dict()
    assert all(torch.equal(loaded.state_dict()[name], value) for name, value in theirs.items())


@pytest.mark.parametrize("method", ["gptq", "awq", "bitsandbytes", "compressed-tensors", "hqq"])
def test_a_quantisation_whose_package_is_missing_is_named(llama: Path, method: str) -> None:
    stated = {"quant_method": method, "bits": 4, "load_in_4bit": method == "bitsandbytes"}
    configure(llama, quantization_config=stated)
    with pytest.raises(UnsupportedModelError, match=f"llama is quantised by {method}, which"):
        load_backbone(llama, device="cpu")


@pytest.mark.parametrize("stated", [{"quant_method": "squeeze"}, {"bits": 4}, {}, [4], "gptq"])
def test_an_unknown_quantisation_is_refused(llama: Path, stated: Any) -> None:
    configure(llama, quantization_config=stated)
    with pytest.raises(UnsupportedModelError, match="quantised in a way that"):
        load_backbone(llama, device="cpu")


def in_shards(folder: Path, place: str = "part.safetensors") -> None:
    """Turn a folder's weights into one shard, which the index says is at a place."""
    names = list(load_file(folder / "model.safetensors"))
    (folder / "model.safetensors").rename(folder / "part.safetensors")
    index = {"metadata": {}, "weight_map": dict.fromkeys(names, place)}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def test_shards_inside_the_folder_are_read(llama: Path) -> None:
    in_shards(llama)
    (llama / "more").mkdir()
    (llama / "part.safetensors").rename(llama / "more" / "part.safetensors")
    (llama / "part.safetensors").symlink_to("more/part.safetensors")
    assert load_backbone(llama, device="cpu").vocabulary_size


@pytest.mark.parametrize(
    "place",
    [
        "../outside.safetensors",
        "sub/../../outside.safetensors",
        "..\\outside.safetensors",
        "C:\\outside.safetensors",
        "{parent}/outside.safetensors",
        "link.safetensors",
        "linked/outside.safetensors",
    ],
)
@pytest.mark.parametrize("by", ["index", "config"])
def test_weights_outside_of_the_folder_are_refused(llama: Path, place: str, by: str) -> None:
    in_shards(llama)
    shutil.copy(llama / "part.safetensors", llama.parent / "outside.safetensors")
    (llama / "link.safetensors").symlink_to(llama.parent / "outside.safetensors")
    (llama / "linked").symlink_to(llama.parent)
    place = place.format(parent=llama.parent)
    if by == "index":
        index = {"metadata": {}, "weight_map": {"lm_head.weight": place}}
        (llama / "model.safetensors.index.json").write_text(json.dumps(index))
    else:
        configure(llama, transformers_weights=place)
    with pytest.raises(WeightsError, match=r"outside\.safetensors|link.*lie outside of the model"):
        load_backbone(llama, device="cpu")


@pytest.mark.parametrize("file", ["part.bin", "adapter_model.bin", "part.safetensors.pkl", 3, None])
def test_weights_that_are_no_safetensors_are_refused(llama: Path, file: Any) -> None:
    index = {"metadata": {}, "weight_map": {"lm_head.weight": file}}
    (llama / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(WeightsError, match="are not in safetensors format"):
        load_backbone(llama, device="cpu")
    (llama / "model.safetensors.index.json").unlink()
    configure(llama, transformers_weights=file)
    if file is not None:
        with pytest.raises(WeightsError, match="are not in safetensors format"):
            load_backbone(llama, device="cpu")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "damaged"),
        ("[" * 100_000, "damaged"),
        ("[]", "must hold an object"),
        ("{}", "no `weight_map`"),
        ('{"metadata": {}, "weight_map": {"a": "gone.safetensors"}}', "are not there"),
    ],
)
def test_a_damaged_index_is_named(llama: Path, content: str, message: str) -> None:
    (llama / "model.safetensors.index.json").write_text(content)
    with pytest.raises(WeightsError, match=message):
        load_backbone(llama, device="cpu")


def test_links_of_the_hubs_cache_are_inside(llama_folder: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "models--a--b" / "snapshots" / "1f"
    shutil.copytree(llama_folder, snapshot)
    in_shards(snapshot)
    blobs = tmp_path / "models--a--b" / "blobs"
    blobs.mkdir()
    (snapshot / "part.safetensors").rename(blobs / "5e")
    (snapshot / "part.safetensors").symlink_to("../../blobs/5e")
    assert load_backbone(snapshot, device="cpu").vocabulary_size


@pytest.mark.parametrize(
    "entries",
    [
        {"attn_implementation": "someone/kernel"},
        {"_attn_implementation": "kernels-community/flash-attn2:flash_attn"},
        {"_attn_implementation": "paged|someone/kernel@main"},
        {"attn_implementation": {"": "someone/kernel"}},
        {"text_config": {"_attn_implementation": "someone/kernel"}},
        {"experts_implementation": "someone/kernel"},
        {"_attn_implementation": "flash_attention_2"},
    ],
)
def test_code_of_a_hub_by_way_of_the_config_is_refused(
    llama: Path, entries: dict[str, Any]
) -> None:
    configure(llama, **entries)
    with pytest.raises(UnsupportedModelError, match=r"asks for the implementation .*config\.json"):
        load_backbone(llama, device="cpu")


def test_code_beside_the_weights_does_not_run(llama: Path) -> None:
    ran = llama / "ran"
    code = f"open({str(ran)!r}, 'w')\n"
    (llama / "custom_generate").mkdir()
    (llama / "custom_generate" / "generate.py").write_text(code)
    (llama / "model.py").write_text(code)
    names = {"AutoConfig": "model.A", "AutoModelForCausalLM": "model.B", "AutoTokenizer": "model.C"}
    configure(llama, auto_map=names)
    load_backbone(llama, device="cpu")  # by the code of Transformers
    configure(llama, model_type="unheard-of")
    with pytest.raises(UnsupportedModelError, match="code of its own, which is not run"):
        load_backbone(llama, device="cpu")
    assert not ran.exists()


def test_an_adapter_without_its_package_is_named(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stated = {"peft_type": "LORA", "base_model_name_or_path": "someone/model"}
    (llama / "adapter_config.json").write_text(json.dumps(stated))
    monkeypatch.setattr("headwise.backbones.loading.adapters.find_spec", lambda _: None)
    with pytest.raises(UnsupportedModelError, match=r"adapter of someone/model.*headwise\[adapt"):
        load_backbone(llama, device="cpu")
    (llama / "config.json").unlink()
    with pytest.raises(UnsupportedModelError, match=r"adapter of someone/model"):
        load_backbone(llama, device="cpu")


def test_an_adapter_that_names_no_model_or_is_a_pickle_is_refused(llama: Path) -> None:
    (llama / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    (llama / "config.json").unlink()
    with pytest.raises(WeightsError, match="does not say which model"):
        load_backbone(llama, device="cpu")


def test_the_model_that_an_adapter_lacks_is_named(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = str(llama / "gone")
    stated = {"peft_type": "LORA", "base_model_name_or_path": gone}
    (llama / "adapter_config.json").write_text(json.dumps(stated))
    (llama / "model.safetensors").rename(llama / "adapter_model.safetensors")
    (llama / "config.json").unlink()
    monkeypatch.setattr("headwise.backbones.loading.adapters.find_spec", lambda _: True)
    with pytest.raises(UnknownModelError, match=f"There is no model at '{gone}'"):
        load_backbone(llama, device="cpu")


@pytest.mark.parametrize("beside", [False, True])
def test_an_adapter_is_merged(llama: Path, tmp_path: Path, beside: bool) -> None:
    peft: Any = pytest.importorskip("peft")
    base = load_backbone(llama, device="cpu")
    config = peft.LoraConfig(target_modules=["q_proj", "lm_head"], r=2, init_lora_weights=False)
    tuned = peft.get_peft_model(tiny_llama(base.tokenizer), config)
    tuned.peft_config["default"].base_model_name_or_path = str(llama)
    folder = llama if beside else tmp_path / "adapter"
    tuned.save_pretrained(folder)
    loaded = load_backbone(folder, device="cpu")
    ids = torch.tensor([[5, 6, 7]])
    theirs = tuned(input_ids=ids).logits
    torch.testing.assert_close(loaded.model(ids).logits, theirs, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(theirs, base.model(ids).logits, atol=1e-2)

    file = folder / "adapter_model.safetensors"
    tensors = load_file(file)
    name = next(name for name in tensors if "layers.0" in name)
    save_file({k: v for k, v in tensors.items() if k != name}, file)
    with pytest.raises(WeightsError, match=r"does not fit .*missing: .*layers"):
        load_backbone(folder, device="cpu")
    save_file(tensors | {name: torch.ones(3, 3)}, file)
    with pytest.raises(WeightsError, match="cannot be applied"):
        load_backbone(folder, device="cpu")
    file.rename(folder / "adapter_model.bin")
    with pytest.raises(WeightsError, match="only weights in safetensors"):
        load_backbone(folder, device="cpu")


def test_a_prompt_adapter_is_refused(llama: Path, tmp_path: Path) -> None:
    peft: Any = pytest.importorskip("peft")
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2)
    tuned = peft.get_peft_model(load_backbone(llama, device="cpu").model, config)
    tuned.peft_config["default"].base_model_name_or_path = str(llama)
    tuned.save_pretrained(tmp_path / "adapter")
    with pytest.raises(UnsupportedModelError, match="cannot be added to the weights"):
        load_backbone(tmp_path / "adapter", device="cpu")


def test_heads_that_are_not_finite_are_named(tmp_path: Path) -> None:
    head = SigmoidHead(vocabulary_size=5, hidden_size=4)
    with torch.no_grad():
        head.weight[3, 2] = float("inf")
    save_head(head, tmp_path)
    with pytest.raises(WeightsError, match=r"weight' in .* not finite"):
        load_head(tmp_path, unembedding=lambda: pytest.fail("not needed"))


def test_a_folder_without_a_model_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError):
        load_backbone(tmp_path, device="cpu")
