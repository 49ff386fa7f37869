"""The heads of an encoder on disk: safetensors with a config, or the seed's ``task_heads.pt``."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from headwise.errors import WeightsError
from headwise.heads.head_files import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    model_type,
    read_config,
    read_tensors,
    write_head_files,
)
from headwise.heads.nli_features import NLIFeatures
from headwise.heads.nli_labels import NLI_LABELS
from headwise.heads.seed_file import SEED_FILE, read_seed_file, write_seed_file
from headwise.heads.task_head_weights import build_task_heads, named_as_in_files
from headwise.heads.task_heads import TaskHeads

MODEL_TYPE = "task_heads"


def is_task_heads(folder: str | Path) -> bool:
    """Whether a folder holds heads of an encoder, complete or not."""
    folder = Path(folder)
    return (folder / SEED_FILE).is_file() or model_type(folder) == MODEL_TYPE


def load_task_heads(path: str | Path) -> TaskHeads:
    """Load heads, in float32 and frozen.

    Sizes come from the weights. A ``.pt`` without a config of ours holds heads on the joint
    first token, as the seed's.

    Args:
        path: A folder with ``model.safetensors`` and ``config.json``, a folder with
            ``task_heads.pt``, or a ``.pt`` file.

    Raises:
        WeightsError: If the weights are missing, damaged, not those of heads, or hold code.
    """
    path = Path(path)
    folder, weights = (path, path / WEIGHTS_FILE) if path.is_dir() else (path.parent, path)
    config: dict[str, Any] = {}
    if weights.suffix == ".safetensors" and weights.is_file():
        config = read_config(folder)
        if not _is_ours(config):
            raise WeightsError(
                f"{folder / CONFIG_FILE} is not that of an encoder's heads: `model_type` must be "
                f"{MODEL_TYPE!r}, got {config.get('model_type')!r}."
            )
        tensors = read_tensors(weights)
    elif path.is_dir() and not (path / SEED_FILE).is_file():
        raise WeightsError(
            f"{path} has neither {WEIGHTS_FILE} nor {SEED_FILE}; give a folder of heads."
        )
    else:
        weights = path / SEED_FILE if path.is_dir() else path
        if path.is_dir() and (path / CONFIG_FILE).is_file():
            config = read_config(path)
        tensors = read_seed_file(weights)
    return build_task_heads(tensors, config if _is_ours(config) else None, weights)


def save_task_heads(
    heads: TaskHeads,
    folder: str | Path,
    *,
    dtype: torch.dtype = torch.float32,
    model_card: str | None = None,
) -> Path:
    """Write heads as safetensors with a config.

    Args:
        heads: The heads.
        folder: Where to; made if it is missing.
        dtype: Floating point type of the file.
        model_card: Text of ``README.md``; none is written if ``None``.

    Returns:
        The folder.

    Raises:
        OutputError: If a file cannot be written.
    """
    config = {
        "model_type": MODEL_TYPE,
        "labels": list(NLI_LABELS),
        **asdict(heads.config),
        # Neither needs to have weights
        "embedding_head": None
        if heads.embedding is None
        else {"normalise": heads.embedding.normalise},
        "late_interaction_head": None if heads.late_interaction is None else {},
    }
    write_head_files(
        Path(folder), named_as_in_files(heads), config, dtype=dtype, model_card=model_card
    )
    return Path(folder)


def save_seed_heads(heads: TaskHeads, path: str | Path) -> Path:
    """Write the seed's ``task_heads.pt``.

    The file holds weights alone: neither threshold nor encoder's name go with them.

    Args:
        heads: Heads on the joint first token.
        path: A ``.pt`` file, or the folder of one.

    Returns:
        The file.

    Raises:
        ValueError: If the heads read other features, which the file cannot say.
        OutputError: If the file cannot be written.
    """
    if heads.config.features is not NLIFeatures.JOINT:
        raise ValueError(
            f"{SEED_FILE} is for heads that read {NLIFeatures.JOINT.value!r} features, these read "
            f"{heads.config.features.value!r}; write them with `save_task_heads`."
        )
    path = Path(path)
    path = path if path.suffix == ".pt" else path / SEED_FILE
    write_seed_file(path, named_as_in_files(heads))
    return path


def _is_ours(config: dict[str, Any]) -> bool:
    return config.get("model_type") == MODEL_TYPE
