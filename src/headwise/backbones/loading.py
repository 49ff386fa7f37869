"""Load a frozen backbone of the right kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from tokenizers import normalizers
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSpeechSeq2Seq,
    AutoTokenizer,
)
from transformers.utils.hub import cached_file

from headwise.backbones.causal import CausalBackbone
from headwise.backbones.encoder import EncoderBackbone
from headwise.backbones.encoder_decoder import EncoderDecoderBackbone
from headwise.backbones.prompts import NAMED_PROMPTS, PromptTemplate
from headwise.backbones.sentence_folder import read_sentence_settings
from headwise.errors import HeadwiseError, UnknownModelError, WeightsError

Backbone = CausalBackbone | EncoderDecoderBackbone


def default_device() -> torch.device:
    """The accelerator of this machine, or the CPU."""
    if torch.accelerator.is_available():
        accelerator = torch.accelerator.current_accelerator()
        assert accelerator is not None
        return accelerator
    return torch.device("cpu")


def load_backbone(
    name: str | Path,
    *,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    device_map: str | dict[str, Any] | None = None,
    trust_remote_code: bool = False,
) -> Backbone:
    """Load a causal or encoder-decoder language model and its tokeniser, and freeze it.

    Args:
        name: A folder or a hub id.
        dtype: The model's floating point type, or ``"auto"`` for that of its file. By default
            float32 on a CPU, ``"auto"`` elsewhere.
        device: Where the model goes; the machine's accelerator by default. Not with
            ``device_map``.
        device_map: How Transformers spreads the model over devices (``"auto"`` needs accelerate).
        trust_remote_code: Whether code that comes with the model may run. Off by default.

    Raises:
        UnknownModelError: If there is no such model.
        WeightsError: If its weights are damaged or only there as pickles.
    """
    if device is not None and device_map is not None:
        raise ValueError("Give `device` or `device_map`, not both.")
    target = _device(device)
    dtype = _dtype(dtype, on_cpu=target.type == "cpu" and device_map is None)
    with _named_errors(name):
        config = AutoConfig.from_pretrained(name, trust_remote_code=trust_remote_code)
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=trust_remote_code)
        kind: Any = AutoModelForCausalLM
        if config.is_encoder_decoder:
            speech = config.model_type == "whisper"
            kind = AutoModelForSpeechSeq2Seq if speech else AutoModelForSeq2SeqLM
        model = kind.from_pretrained(
            name,
            dtype=dtype,
            device_map=device_map,
            trust_remote_code=trust_remote_code,
            use_safetensors=True,
        )
    if device_map is None:
        model = model.to(target)
    if config.is_encoder_decoder:
        return EncoderDecoderBackbone(model, tokenizer)
    return CausalBackbone(model, tokenizer)


def load_encoder(
    name: str | Path,
    *,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    trust_remote_code: bool = False,
    max_length: int | None = None,
) -> EncoderBackbone:
    """Load an encoder and its tokeniser, and freeze it.

    Of a sentence-transformers model, pooling and normalisation are those of its folder; of any
    other, embeddings are the mean of the token vectors, of unit length.

    Arguments are those of :func:`load_backbone`, and ``max_length`` of `EncoderBackbone`; the name
    may be that of a Transformers or of a sentence-transformers model.

    Raises:
        UnknownModelError: If there is no such model.
        UnsupportedModelError: If it reads no text, or makes its embeddings in an unknown way.
        WeightsError: If its weights are damaged or only there as pickles.
    """
    target = _device(device)
    dtype = _dtype(dtype, on_cpu=target.type == "cpu")

    def read(path: str) -> str | None:
        found = cached_file(
            name,
            path,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
        return None if found is None else Path(found).read_text(encoding="utf-8")

    with _named_errors(name):
        settings = read_sentence_settings(read, name=str(name))
        place = {
            "subfolder": "" if settings is None else settings.subfolder,
            "trust_remote_code": trust_remote_code,
        }
        tokenizer = AutoTokenizer.from_pretrained(name, **place)
        model = AutoModel.from_pretrained(name, dtype=dtype, use_safetensors=True, **place)
    options: dict[str, Any] = {}
    if settings is not None:
        options = {"pooling": settings.pooling, "normalise": settings.normalise}
        if settings.lower_case:
            own = tokenizer.backend_tokenizer.normalizer
            # First, as sentence-transformers does it before its tokeniser reads the text
            steps = [normalizers.Lowercase(), *([] if own is None else [own])]
            tokenizer.backend_tokenizer.normalizer = normalizers.Sequence(steps)
    return EncoderBackbone(model.to(target), tokenizer, max_length=max_length, **options)


def _device(device: torch.device | str | None) -> torch.device:
    """The device to load onto; one that this machine or this PyTorch lacks is a `ValueError`."""
    if device is None:
        return default_device()
    try:
        target = torch.device(device)
        torch.empty(0, device=target)
    # PyTorch built without a kind of device asserts that it is not asked for it, or imports in vain
    except (RuntimeError, AssertionError, ImportError) as error:
        present = ", ".join(sorted({"cpu", str(default_device())}))
        raise ValueError(
            f"`device` must be one that PyTorch can use on this machine ({present}), got "
            f"{str(device)!r}."
        ) from error
    return target


def _dtype(dtype: torch.dtype | str | None, *, on_cpu: bool) -> torch.dtype | str:
    """The type to load, by whatever name; what is no floating point type is a `ValueError`."""
    if dtype is None:
        return torch.float32 if on_cpu else "auto"
    found = getattr(torch, dtype.removeprefix("torch."), None) if isinstance(dtype, str) else dtype
    if dtype != "auto" and not (isinstance(found, torch.dtype) and found.is_floating_point):
        raise ValueError(
            f"`dtype` must be a floating point type such as float32, bfloat16 or float16, or "
            f"auto, got {str(dtype)!r}."
        )
    return dtype


@contextmanager
def _named_errors(name: str | Path) -> Iterator[None]:
    """Turn what loading a model raises into errors that say what is wrong."""
    try:
        yield
    except HeadwiseError:
        raise
    except OSError as error:
        if "safetensors" in str(error):
            raise WeightsError(
                f"{name} has no weights in safetensors format, the only one that is safe to "
                f"load; convert it first. ({_first_line(error)})"
            ) from error
        raise UnknownModelError(
            f"There is no model at {str(name)!r}: neither a folder nor a hub id that can be "
            f"reached from here. ({_first_line(error)})"
        ) from error
    except ValueError as error:
        raise UnknownModelError(f"{name} cannot be loaded: {_first_line(error)}") from error
    except Exception as error:
        # safetensors raises its own error type for files that are cut short
        if type(error).__module__.startswith("safetensors") or "safetensor" in repr(error).lower():
            raise WeightsError(f"The weights of {name} are damaged: {error}") from error
        raise


def default_prompt(backbone: Backbone) -> PromptTemplate:
    """The prompt for a backbone whose head names none."""
    if isinstance(backbone, EncoderDecoderBackbone):
        return NAMED_PROMPTS["sequence"]
    if "TowerInstruct" in str(backbone.model.config.name_or_path):
        return NAMED_PROMPTS["tower"]
    return NAMED_PROMPTS["chat" if backbone.tokenizer.chat_template else "raw"]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
