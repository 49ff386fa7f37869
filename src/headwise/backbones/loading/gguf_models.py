"""Models from GGUF files: dequantised once by Transformers, then kept as safetensors."""

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import transformers
from filelock import FileLock
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSpeechSeq2Seq,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from headwise.backbones.gguf_names import ENDING
from headwise.backbones.loading.filled_weights import check_filled, check_finite, listed
from headwise.backbones.loading.gguf_header import GgufHeader, check_architecture, read_header
from headwise.documents import read_object
from headwise.errors import (
    DataError,
    HeadwiseError,
    OutputError,
    UnsupportedModelError,
    WeightsError,
)
from headwise.files import CACHE_VARIABLE, cache_folder, naming_output

logger = logging.getLogger(__name__)

# Of what is kept; another number, and files are read anew
_FORMAT = 1
_RECORD = "gguf.json"
# Beside the weights, a tokeniser and a config
_MORE_BYTES = 64 << 20
_FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A GGUF file, whole or in the parts that packages cut it into.

    Attributes:
        name: What users call it.
        parts: The files that are the whole one after another; a single one is the file itself.
    """

    name: str
    parts: tuple[Path, ...]

    def digest(self) -> str:
        """SHA-256 of the whole file, in hexadecimal digits."""
        found = hashlib.sha256()
        for part in self.parts:
            with part.open("rb") as file:
                while block := file.read(1 << 20):
                    found.update(block)
        return found.hexdigest()

    def put_alone(self, folder: Path) -> Path:
        """The whole file in a folder of its own, where no neighbour is read with it."""
        whole = folder / f"model{ENDING}"
        if len(self.parts) == 1:
            whole.symlink_to(self.parts[0].resolve())
            return whole
        with whole.open("wb") as file:
            for part in self.parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, file, 1 << 20)
        return whole


def dequantised_folder(file: GgufFile, digest: str) -> Path:
    """The folder of safetensors that a GGUF file was turned into: that of the cache, or a new one.

    It is known by the file's digest and the versions of the packages that read it. Processes that
    need it at the same time wait for the one that makes it; it appears as a whole or not at all.

    Raises:
        WeightsError: If the file is damaged, or does not fill the model that it describes.
        UnsupportedModelError: If Transformers does not read it, or a package is missing.
        OutputError: If the cache cannot be written.
    """
    versions = f"{_FORMAT}-transformers-{transformers.__version__}"
    folder = cache_folder() / "gguf" / f"{digest[:32]}-{versions}"
    if _is_whole(folder):
        return folder
    if find_spec("gguf") is None:
        raise UnsupportedModelError(
            f"{file.name} is a GGUF file, which needs a package that is not installed: pip "
            "install 'headwise[gguf]'."
        )
    with _only_maker(folder) as temporary:
        if _is_whole(folder):  # another process has just made it
            return folder
        alone = temporary / "source"
        alone.mkdir()
        path = file.put_alone(alone)
        header = read_header(path, name=file.name)
        check_architecture(header, name=file.name)
        _check_space(folder, header)
        logger.info(
            "%s: unpacking its weights, which takes a minute or more; they are kept in %s.",
            *(file.name, folder),
        )
        made = temporary / "model"
        _convert(path, header, made, name=file.name)
        _write_record(made, {"file": file.name, "sha256": digest})
        shutil.rmtree(folder, ignore_errors=True)  # files of it are missing
        made.rename(folder)
    return folder


def language_model_class(config: Any) -> Any:
    """Transformers' class of language models for a config."""
    if not config.is_encoder_decoder:
        return AutoModelForCausalLM
    speech = config.model_type == "whisper"
    return AutoModelForSpeechSeq2Seq if speech else AutoModelForSeq2SeqLM


@contextmanager
def _only_maker(folder: Path) -> Iterator[Path]:
    """Wait to be the one process that makes a folder; gives another one beside it to work in.

    What a killed process left is removed, and so is the other folder in the end.
    """
    try:
        with naming_output(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.with_name(f"{folder.name}.lock")):
                for left in folder.parent.glob(f"{folder.name}.tmp*"):
                    shutil.rmtree(left, ignore_errors=True)
                prefix = f"{folder.name}.tmp"
                with tempfile.TemporaryDirectory(prefix=prefix, dir=folder.parent) as temporary:
                    yield Path(temporary)
    except OutputError as error:
        raise OutputError(
            f"{error} Make room, or set {CACHE_VARIABLE} to a folder that can be written."
        ) from error


def _check_space(folder: Path, header: GgufHeader) -> None:
    needed = header.numbers * _FLOAT_BYTES + _MORE_BYTES
    free = shutil.disk_usage(folder.parent).free
    if free < needed:
        raise OutputError(
            f"{folder} cannot be written: the unpacked weights take {needed / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB are free."
        )


def _convert(path: Path, header: GgufHeader, folder: Path, *, name: str) -> None:
    """Let Transformers read a GGUF file, and save what it makes of it."""
    try:
        model, info, tokenizer = _read(path, header, name=name)
    except (HeadwiseError, torch.OutOfMemoryError):
        raise
    except (ImportError, NotImplementedError) as error:  # a package is missing or too old
        raise UnsupportedModelError(f"{name} cannot be read from GGUF here: {error}") from error
    except Exception as error:  # of many kinds, for a header that is whole and wrong
        raise WeightsError(
            f"The GGUF file {name} cannot be read ({type(error).__name__}: {error}); download it "
            "again, or convert it again."
        ) from error
    check_filled(model, info, name=name)
    check_finite(model, name=name)
    _warn_of_rest(model, header, name=name)
    # It is a plain model from here on
    vars(model).pop("hf_quantizer", None)
    for attribute in ("quantization_config", "_model_name_or_path"):
        vars(model.config).pop(attribute, None)
    try:
        model.save_pretrained(folder)
        _save_tokenizer(tokenizer, folder)
    except OSError:
        raise
    except Exception as error:  # what the operating system said, by names of Rust libraries
        raise OutputError(f"{folder} cannot be written: {error}.") from error


def _save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Save a tokeniser as it stands: classes of single models build theirs anew when they load."""
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    settings = read_object(path) | {
        "tokenizer_class": PreTrainedTokenizerFast.__name__,
        "padding_side": tokenizer.padding_side,
    }
    path.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _read(
    path: Path, header: GgufHeader, *, name: str
) -> tuple[PreTrainedModel, dict[str, Any], Any]:
    options: dict[str, Any] = {"gguf_file": path.name}
    config = AutoConfig.from_pretrained(path.parent, **options)
    stated = (getattr(config, "architectures", None) or [""])[0]
    kind = getattr(transformers, stated) if "Encoder" in stated else language_model_class(config)
    _check_size(kind, config, header, name=name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(path.parent, **options)
    except Exception as error:  # of many kinds, too
        raise UnsupportedModelError(
            f"Transformers makes no tokeniser of the GGUF file {name} ({type(error).__name__}: "
            f"{error}); give the model's folder of safetensors instead, or convert it again."
        ) from error
    if (settings := getattr(transformers, "GgufConfig", None)) is not None:
        options["quantization_config"] = settings(dequantize=True)
    model, info = kind.from_pretrained(
        path.parent, config=config, dtype=torch.float32, output_loading_info=True, **options
    )
    return model, info, tokenizer


def _check_size(kind: Any, config: Any, header: GgufHeader, *, name: str) -> None:
    """Refuse a model that is larger than its file before it has memory.

    What the metadata do not say, Transformers takes from defaults, which are those of large models.
    """
    build = getattr(kind, "from_config", None) or kind._from_config
    if config.get_text_config(decoder=True).num_hidden_layers > len(header.sizes):
        described = None  # not even built without memory
    else:
        with torch.device("meta"):
            described = sum(weight.numel() for weight in build(config).parameters())
        # Tied output layers are counted twice here
        if described <= header.numbers + max(header.sizes.values()):
            return
    raise WeightsError(
        f"The GGUF file {name} is damaged: its metadata describe a model of "
        f"{'far more' if described is None else f'{described:,}'} numbers, its tensors hold "
        f"{header.numbers:,}. Download it again, or convert it again."
    )


def _warn_of_rest(model: PreTrainedModel, header: GgufHeader, *, name: str) -> None:
    """Say what of a file Transformers has no place for: factors of Llama 3's positions, biases."""
    taken = sum(weight.numel() for weight in model.parameters())
    rest = header.numbers - taken
    # Tied output layers may stand in the file all the same
    if rest <= 0 or rest == header.sizes.get("output.weight"):
        return
    known = [tensor for tensor in header.sizes if tensor.startswith("rope")] or ["biases"]
    logger.warning(
        "%s holds %s numbers more than Transformers reads (%s); what they change is missing.",
        *(name, f"{rest:,}", listed(known)),
    )


def _write_record(folder: Path, told: dict[str, Any]) -> None:
    """Write down which files a folder has, last of all."""
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    record = {**told, "transformers": transformers.__version__, "gguf": version("gguf")}
    text = json.dumps(record | {"files": sizes}, indent=2, ensure_ascii=False) + "\n"
    (folder / _RECORD).write_text(text, encoding="utf-8")


def _is_whole(folder: Path) -> bool:
    """Whether all files are there: those who tidy caches remove single ones."""
    try:
        sizes = read_object(folder / _RECORD)["files"]
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, DataError, KeyError, AttributeError):
        return False
