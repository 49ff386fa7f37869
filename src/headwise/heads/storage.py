"""Heads on disk: the hub layout, written and read without running anyone's code."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from torch import Tensor

from headwise.atomic import atomic_path, naming_output
from headwise.errors import MismatchError, UnknownModelError, WeightsError
from headwise.heads.biased_head import ContextualSigmoidHead
from headwise.heads.head_files import (
    CARD_FILE,
    CONFIG_FILE,
    WEIGHTS_FILE,
    matrix,
    read_config,
    read_tensors,
    write_head_files,
)
from headwise.heads.head_types import HEAD_TYPES, QualityHead, build_head
from headwise.heads.rescaling_head import RescalingHead, TokenLogits
from headwise.heads.seed_file import SEED_FILE
from headwise.heads.sigmoid_head import SigmoidHead

CODE_FILE = "sigmoid_head.py"
# From the head's scores to probabilities; it fits these weights and no others
CALIBRATION_FILE = "calibration.json"
# What the card of a head that was trained here speaks of
CURVES_FILE, RUN_FILE = "curves.png", "run.yaml"


@dataclass(frozen=True, slots=True)
class HeadInfo:
    """What a head's folder says about the head.

    Attributes:
        head_type: One of :data:`headwise.heads.HEAD_TYPES`.
        prompt: The prompt template in its saved form, or ``None``.
        backbone: Name of the language model that it belongs to, or ``None``.
    """

    head_type: str
    prompt: dict[str, Any] | None
    backbone: str | None


@dataclass(frozen=True, slots=True)
class _HeadSizes:
    """Sizes of a head; 0 for what it has not."""

    vocabulary_size: int = 0
    hidden_size: int = 0
    context_size: int = 0


def head_folder(name: str | Path) -> Path:
    """A folder on this machine that holds a head or heads: the given one, or a hub download.

    Raises:
        UnknownModelError: If there is neither.
    """
    if Path(name).is_dir():
        return Path(name)
    try:
        patterns = [CONFIG_FILE, WEIGHTS_FILE, SEED_FILE, CARD_FILE, CALIBRATION_FILE]
        return Path(snapshot_download(str(name), allow_patterns=patterns))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise UnknownModelError(
            f"There is no head at {str(name)!r}: neither a folder nor a hub id that can be "
            "reached from here."
        ) from error


def read_head_info(folder: Path) -> HeadInfo:
    """Read the config of a head's folder.

    Raises:
        WeightsError: If it is missing or is not a head's.
    """
    config = read_config(folder)
    return HeadInfo(
        head_type=config.get("head_type") or SigmoidHead.head_type,
        prompt=config.get("prompt"),
        backbone=config.get("backbone"),
    )


def load_head(folder: Path, *, unembedding: Callable[[], TokenLogits]) -> QualityHead:
    """Load a head from its folder, in float32.

    Sizes come from the weights themselves, so that any config of the hub layout will do.

    Args:
        folder: A folder with ``model.safetensors`` and ``config.json``.
        unembedding: Gives the backbone's output layer; called only for heads that rescale its
            logits, so that the others work with backbones whose logits nobody understands.

    Raises:
        WeightsError: If the weights are missing, damaged, pickled, or not a head's.
    """
    tensors = _read_tensors(folder)
    head_type = read_head_info(folder).head_type
    if head_type not in HEAD_TYPES:
        raise WeightsError(
            f"{folder / CONFIG_FILE} names an unknown head: {head_type!r}; "
            f"known are {', '.join(HEAD_TYPES)}."
        )
    sizes = _read_sizes(tensors, head_type, folder)
    head = build_head(
        head_type,
        vocabulary_size=sizes.vocabulary_size,
        hidden_size=sizes.hidden_size,
        unembedding=unembedding,
        context_size=sizes.context_size,
    )
    try:
        head.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        raise WeightsError(f"{folder / WEIGHTS_FILE} does not fit its config: {error}") from None
    return head.requires_grad_(False).eval()


def check_fit(head: QualityHead, *, vocabulary_size: int, hidden_size: int) -> None:
    """Refuse a head that belongs to another language model.

    Raises:
        MismatchError: If vocabulary or hidden size differ.
    """
    if not isinstance(head, SigmoidHead):
        return
    own = tuple(head.weight.shape)
    if own != (vocabulary_size, hidden_size):
        raise MismatchError(
            f"The head has vocabulary {own[0]} and hidden size {own[1]}, the backbone has "
            f"{vocabulary_size} and {hidden_size}; load the backbone that the head was trained on."
        )


def save_head(
    head: QualityHead,
    folder: str | Path,
    *,
    prompt: dict[str, Any] | None = None,
    backbone: str | None = None,
    dtype: torch.dtype = torch.float32,
    model_card: str | None = None,
) -> Path:
    """Write a head in the hub layout.

    The folder also loads in plain Transformers, with ``trust_remote_code=True``. A calibration
    that an earlier head left there is removed.

    Args:
        head: The head.
        folder: Where to; made if it is missing.
        prompt: The prompt template in its saved form.
        backbone: Name of the language model that the head belongs to.
        dtype: Floating point type of the file.
        model_card: Text of ``README.md``; none is written if ``None``.

    Returns:
        The folder.

    Raises:
        OutputError: If a file cannot be written.
    """
    info = HeadInfo(head.head_type, prompt, backbone)
    tensors = head.state_dict()
    sizes = _read_sizes(tensors, info.head_type, Path(folder))
    return _write(Path(folder), tensors, info, sizes, dtype, model_card)


def copy_head(
    folder: Path,
    output: str | Path,
    *,
    dtype: str = "float32",
    backbone: str | None = None,
    prompt: dict[str, Any] | None = None,
) -> Path:
    """Write a head that lies in one folder to another one, in the full hub layout.

    Its calibration, if it has one, goes with it.

    Args:
        folder: Where the head is; a released one will do.
        output: Where to.
        dtype: ``float32``, ``bfloat16`` or ``float16``.
        backbone: Name of its language model, if the folder does not say it.
        prompt: Its prompt template in the saved form, likewise.

    Returns:
        The output folder.

    Raises:
        WeightsError: If the head cannot be read.
        OutputError: If a file cannot be written.
    """
    if dtype not in ("float32", "bfloat16", "float16"):
        raise ValueError(f"`dtype` must be float32, bfloat16 or float16, got {dtype!r}.")
    tensors = _read_tensors(folder)
    info = read_head_info(folder)
    info = HeadInfo(info.head_type, prompt or info.prompt, backbone or info.backbone)
    sizes = _read_sizes(tensors, info.head_type, folder)
    card = folder / CARD_FILE
    text = card.read_text("utf-8") if card.is_file() else None
    companions = {
        name: (folder / name).read_bytes()
        for name in (CURVES_FILE, RUN_FILE, CALIBRATION_FILE)
        if (folder / name).is_file()
    }
    written = _write(Path(output), tensors, info, sizes, getattr(torch, dtype), text)
    for name, content in companions.items():
        with naming_output(written), atomic_path(written / name) as temporary:
            temporary.write_bytes(content)
    return written


def _write(
    folder: Path,
    tensors: dict[str, Tensor],
    info: HeadInfo,
    sizes: _HeadSizes,
    dtype: torch.dtype,
    model_card: str | None,
) -> Path:
    config: dict[str, Any] = {
        "architectures": ["SigmoidHead"],
        "auto_map": {
            "AutoConfig": "sigmoid_head.SigmoidHeadConfig",
            "AutoModel": "sigmoid_head.SigmoidHead",
        },
        "model_type": "sigmoid_head",
        "vocab_size": sizes.vocabulary_size,
        "hidden_size": sizes.hidden_size,
        "head_type": info.head_type,
        "prompt": info.prompt,
        "backbone": info.backbone,
    }
    if sizes.context_size:
        config["context_size"] = sizes.context_size
    with naming_output(folder):
        # Other weights make it wrong
        (folder / CALIBRATION_FILE).unlink(missing_ok=True)
        with atomic_path(folder / CODE_FILE) as temporary:
            temporary.write_bytes((files("headwise.heads.hub") / CODE_FILE).read_bytes())
    write_head_files(folder, tensors, config, dtype=dtype, model_card=model_card)
    return folder


def _read_sizes(tensors: dict[str, Tensor], head_type: str, folder: Path) -> _HeadSizes:
    if head_type == RescalingHead.head_type:
        return _HeadSizes()
    path = folder / WEIGHTS_FILE
    vocabulary_size, hidden_size = matrix(tensors, "weight", path).shape
    if head_type != ContextualSigmoidHead.head_type:
        return _HeadSizes(vocabulary_size, hidden_size)
    context_size = matrix(tensors, "context.0.weight", path).shape[0]
    return _HeadSizes(vocabulary_size, hidden_size, context_size)


def _read_tensors(folder: Path) -> dict[str, Tensor]:
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        pickles = sorted(p.name for p in folder.glob("*") if p.suffix in (".bin", ".pt", ".pth"))
        hint = (
            f" {', '.join(pickles)} may run code when it is loaded and is not read; convert it "
            "to safetensors where you trust it."
            if pickles
            else ""
        )
        raise WeightsError(f"{folder} has no {WEIGHTS_FILE}.{hint}")
    return read_tensors(path)
