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

from headwise.documents import read_object
from headwise.errors import DataError, WeightsError
from headwise.files import atomic_path, naming_output, write_tensors
from headwise.functional.finite import not_finite

CONFIG_FILE, WEIGHTS_FILE, CARD_FILE = "config.json", "model.safetensors", "README.md"
# What the card of a head that was trained here speaks of
CURVES_FILE, RUN_FILE = "curves.png", "run.yaml"
# From the scores of a folder's heads to probabilities; it fits these weights and no others
CALIBRATION_FILE = "calibration.json"
# What their language model makes of a few words, by which it is known again
STATES_FILE = "states.json"


@dataclass(frozen=True, slots=True)
class FileNames:
    """What a head's files are called; ``run`` repeats its training, ``curves`` draws it."""

    config: str = CONFIG_FILE
    weights: str = WEIGHTS_FILE
    card: str = CARD_FILE
    curves: str = CURVES_FILE
    run: str = RUN_FILE


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """The tensors of a file, and where it lies, for messages."""

    tensors: dict[str, Tensor]
    path: Path

    def check_numbers(self) -> None:
        """Refuse what is no floating point number, NaN and infinity included (`WeightsError`)."""
        for name, tensor in self.tensors.items():
            if not tensor.is_floating_point():
                raise WeightsError(
                    f"{name!r} in {self.path} must hold floating point numbers, got {tensor.dtype}."
                )
        if bad := not_finite(self.tensors.items()):
            raise WeightsError(
                f"{bad[0]!r} in {self.path} holds numbers that are not finite: its training went "
                "wrong, or the file is damaged. Download it again, or train the head again."
            )

    def has(self, *beginnings: str) -> bool:
        """Whether the name of a tensor begins so."""
        return any(name.startswith(beginnings) for name in self.tensors)

    def matrix(self, name: str) -> Tensor:
        """One matrix of the file.

        Raises:
            WeightsError: If there is none of that name.
        """
        tensor = self.tensors.get(name)
        if tensor is None or tensor.ndim != 2:
            found = ", ".join(sorted(self.tensors)) or "nothing"
            raise WeightsError(f"{self.path} has no matrix named {name!r}; found {found}.")
        return tensor


def read_config(folder: Path, *, name: str = CONFIG_FILE) -> dict[str, Any]:
    """Read the config of a head's folder.

    Raises:
        WeightsError: If it is missing or damaged.
    """
    path = folder / name
    try:
        return read_object(path)
    except FileNotFoundError:
        raise WeightsError(f"{folder} has no {name}; it is not a head's folder.") from None
    except DataError as error:
        raise WeightsError(str(error)) from None


def model_type(folder: Path) -> str | None:
    """What a folder's config says it holds; ``None`` if it has none or a damaged one."""
    try:
        found = read_config(folder).get("model_type")
    except WeightsError:
        return None
    return found if isinstance(found, str) else None


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        WeightsError: If it is missing, damaged or of another format.
    """
    try:
        return load_file(path)
    # The library's own, and what it makes of a header that names no type or shape of PyTorch
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise WeightsError(
            f"{path} is damaged or not a safetensors file ({error}); download it again."
        ) from None


def read_weights(folder: Path, *, name: str = WEIGHTS_FILE) -> StoredWeights:
    """Read the weights of a head's folder.

    Raises:
        WeightsError: If they are missing, damaged or of another format.
    """
    path = folder / name
    if not path.is_file():
        pickles = sorted(p.name for p in folder.glob("*") if p.suffix in (".bin", ".pt", ".pth"))
        hint = (
            f" {', '.join(pickles)} may run code when it is loaded and is not read; convert it "
            "to safetensors where you trust it."
            if pickles
            else ""
        )
        raise WeightsError(f"{folder} has no {name}.{hint}")
    return StoredWeights(read_tensors(path), path)


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
    """Write weights, card (if there is one) and config, whose ``dtype`` is added.

    Tensors that ``exact`` names stay in float32 whatever the type of the file.

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
