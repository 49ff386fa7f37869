"""What every head's folder is made of: weights, a config and a card, read and written safely."""

import json
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from headwise.errors import WeightsError
from headwise.files import atomic_path, naming_output, write_tensors

CONFIG_FILE, WEIGHTS_FILE, CARD_FILE = "config.json", "model.safetensors", "README.md"
# From the scores of a folder's heads to probabilities; it fits these weights and no others
CALIBRATION_FILE = "calibration.json"


@dataclass(frozen=True, slots=True)
class HeadInfo:
    """What a head's folder says about the head.

    Attributes:
        head_type: One of :data:`headwise.heads.HEAD_TYPES`, or that of an error head.
        prompt: The prompt template in its saved form, or ``None``.
        backbone: Name of the language model that it belongs to, or ``None``.
    """

    head_type: str
    prompt: dict[str, Any] | None
    backbone: str | None


@dataclass(frozen=True, slots=True)
class FileNames:
    """What a head's files are called in its folder.

    Attributes:
        config: A JSON object.
        weights: In safetensors format.
        card: In Markdown.
    """

    config: str = CONFIG_FILE
    weights: str = WEIGHTS_FILE
    card: str = CARD_FILE


def read_config(folder: Path, *, name: str = CONFIG_FILE) -> dict[str, Any]:
    """Read the config of a head's folder.

    Raises:
        WeightsError: If it is missing or damaged.
    """
    path = folder / name
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsError(f"{folder} has no {name}; it is not a head's folder.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path} is damaged: {error}.") from None
    if not isinstance(config, dict):
        raise WeightsError(f"{path} must hold an object, got {config!r:.60}.")
    return config


def model_type(folder: Path) -> str | None:
    """What a folder's config says it holds; ``None`` if it has none or a damaged one."""
    try:
        found = read_config(folder).get("model_type")
    except (WeightsError, OSError):
        return None
    return found if isinstance(found, str) else None


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        WeightsError: If it is missing, damaged or of another format.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path} is damaged or not a safetensors file ({error}); download it again."
        ) from None


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Read ``model.safetensors`` of a head's folder.

    Raises:
        WeightsError: If it is missing, damaged or of another format.
    """
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


def matrix(tensors: dict[str, Tensor], name: str, path: Path) -> Tensor:
    """One matrix of a weight file.

    Raises:
        WeightsError: If there is none of that name.
    """
    tensor = tensors.get(name)
    if tensor is None or tensor.ndim != 2:
        raise WeightsError(
            f"{path} has no matrix named {name!r}; found {', '.join(sorted(tensors)) or 'nothing'}."
        )
    return tensor


def write_head_files(
    folder: Path,
    tensors: dict[str, Tensor],
    config: dict[str, Any],
    *,
    dtype: torch.dtype,
    model_card: str | None,
    names: FileNames = FileNames(),
    exact: Container[str] = (),
) -> None:
    """Write weights, card and config.

    Args:
        folder: Where to; made if it is missing.
        tensors: The weights.
        config: The config, without ``dtype``, which is added.
        dtype: Floating point type of the file.
        model_card: Text of the card; none is written if ``None``.
        names: What the files are called.
        exact: Names of tensors that stay in float32 whatever the type of the file.

    Raises:
        OutputError: If a file cannot be written.
    """
    stored = {
        name: tensor.detach().to("cpu", torch.float32 if name in exact else dtype).contiguous()
        for name, tensor in tensors.items()
    }
    config = {**config, "dtype": str(dtype).removeprefix("torch.")}
    with naming_output(folder):
        write_tensors(folder / names.weights, stored)
        if model_card is not None:
            with atomic_path(folder / names.card) as temporary:
                temporary.write_text(model_card, encoding="utf-8")
        # The config comes last: a folder that has one is complete
        with atomic_path(folder / names.config) as temporary:
            temporary.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8")
