"""From the tensors of a file to the heads of an encoder, and back."""

from collections.abc import Collection
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from headwise.choices import NLIFeatures
from headwise.errors import MismatchError, WeightsError
from headwise.heads.entailment.abstention_head import AbstentionHead
from headwise.heads.entailment.embedding_head import EmbeddingHead
from headwise.heads.entailment.late_interaction_head import LateInteractionHead
from headwise.heads.entailment.nli_head import NLI_LABELS, NLIHead
from headwise.heads.entailment.task_heads import TaskHeads, TaskHeadsConfig
from headwise.heads.storage.files import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    matrix,
    model_type,
    read_config,
    read_tensors,
    write_head_files,
)
from headwise.heads.storage.seed_file import (
    SEED_FILE,
    read_seed_file,
    write_seed_file,
)

# Names in files and names in the module; the seed's heads stand side by side
_PREFIXES = {
    "nli_hidden.": "nli.nli_hidden.",
    "nli_output.": "nli.nli_output.",
    "abstention_head.": "abstention.abstention_head.",
    "embedding_head.": "embedding.",
    "late_interaction_head.": "late_interaction.",
}


def named_as_in_files(heads: TaskHeads) -> dict[str, Tensor]:
    """The heads' state dict by the seed's names: ``nli_hidden.0.weight`` and so on."""
    return {
        in_files + name.removeprefix(in_module): tensor
        for name, tensor in heads.state_dict().items()
        for in_files, in_module in _PREFIXES.items()
        if name.startswith(in_module)
    }


def build_task_heads(
    tensors: dict[str, Tensor], config: dict[str, Any] | None, path: Path
) -> TaskHeads:
    """Build heads from what stood in their files, in float32.

    Args:
        tensors: Weights by the seed's names.
        config: The config; ``None`` for a file alone, whose NLI head reads the joint first token.
        path: The weight file, for errors.

    Raises:
        WeightsError: If a tensor is missing, one too many, not finite, or of another shape, or
            if the config does not fit.
    """
    _check_numbers(tensors, path)
    inner_size, input_size = matrix(tensors, "nli_hidden.0.weight", path).shape
    _check_classes(matrix(tensors, "nli_output.weight", path).shape[0], path)
    if config is None:
        parsed = TaskHeadsConfig(
            features=NLIFeatures.JOINT, hidden_size=input_size, embedding_size=input_size
        )
        config = {}
    else:
        parsed = _parse(config, path)
    embedding, late_interaction = (
        _stated(config, name, path) for name in ("embedding_head", "late_interaction_head")
    )
    try:
        heads = TaskHeads(
            config=parsed,
            nli=NLIHead(input_size=input_size, hidden_size=inner_size),
            abstention=_abstention(tensors, inner_size, path),
            embedding=_embedding(tensors, embedding, parsed, path),
            late_interaction=_late_interaction(tensors, late_interaction, parsed, path),
        )
    except MismatchError as error:
        raise WeightsError(f"{path} does not fit its {CONFIG_FILE}: {error}") from None
    own = named_as_in_files(heads)
    _check_names_and_shapes(tensors, own, path)
    for name, tensor in own.items():
        tensor.copy_(tensors[name])
    return heads.requires_grad_(False).eval()


def _check_numbers(tensors: dict[str, Tensor], path: Path) -> None:
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            raise WeightsError(
                f"{name!r} in {path} must hold floating point numbers, got {tensor.dtype}."
            )
        if not tensor.isfinite().all():
            raise WeightsError(
                f"{name!r} in {path} holds numbers that are not finite: its training went wrong, "
                "or the file is damaged. Download it again, or train the head again."
            )


def _check_classes(count: int, path: Path) -> None:
    if count != len(NLI_LABELS):
        raise WeightsError(
            f"The NLI head in {path} must have {len(NLI_LABELS)} classes, in the order "
            f"{', '.join(NLI_LABELS)}, got {count}."
        )


def _parse(config: dict[str, Any], path: Path) -> TaskHeadsConfig:
    labels = config.get("labels", list(NLI_LABELS))
    if labels != list(NLI_LABELS):
        raise WeightsError(
            f"The labels in {path.parent / CONFIG_FILE} must be {', '.join(NLI_LABELS)}, in this "
            f"order, got {labels!r:.80}."
        )
    known = {f.name for f in fields(TaskHeadsConfig)} & config.keys()
    try:
        return TypeAdapter(TaskHeadsConfig).validate_python({name: config[name] for name in known})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise WeightsError(
            f"{path.parent / CONFIG_FILE} is not a config of heads: "
            f"{where + ': ' if where else ''}{first['msg']}."
        ) from None


def _stated(config: dict[str, Any], name: str, path: Path) -> dict[str, Any] | None:
    """What the config says about a head that may have no weights."""
    stated = config.get(name)
    if stated is None or isinstance(stated, dict):
        return stated
    raise WeightsError(
        f"{path.parent / CONFIG_FILE}: `{name}` must be null or an object, got {stated!r:.60}."
    )


def _abstention(tensors: dict[str, Tensor], hidden_size: int, path: Path) -> AbstentionHead | None:
    if not _has(tensors, "abstention_head."):
        return None
    inner_size = matrix(tensors, "abstention_head.0.weight", path).shape[0]
    return AbstentionHead(hidden_size=hidden_size, inner_size=inner_size)


def _embedding(
    tensors: dict[str, Tensor], stated: dict[str, Any] | None, config: TaskHeadsConfig, path: Path
) -> EmbeddingHead | None:
    if stated is None and not _has(tensors, "embedding_head."):
        return None
    normalise = bool((stated or {}).get("normalise", True))
    output_size = _projection_size(tensors, "embedding_head.", path)
    return EmbeddingHead(
        hidden_size=config.embedding_size, output_size=output_size, normalise=normalise
    )


def _late_interaction(
    tensors: dict[str, Tensor], stated: dict[str, Any] | None, config: TaskHeadsConfig, path: Path
) -> LateInteractionHead | None:
    if stated is None and not _has(tensors, "late_interaction_head."):
        return None
    output_size = _projection_size(tensors, "late_interaction_head.", path)
    return LateInteractionHead(hidden_size=config.hidden_size, output_size=output_size)


def _projection_size(tensors: dict[str, Tensor], prefix: str, path: Path) -> int | None:
    if not _has(tensors, prefix):
        return None
    return matrix(tensors, f"{prefix}projection.weight", path).shape[0]


def _has(tensors: dict[str, Tensor], prefix: str) -> bool:
    return any(name.startswith(prefix) for name in tensors)


def _check_names_and_shapes(tensors: dict[str, Tensor], own: dict[str, Tensor], path: Path) -> None:
    found = []
    if missing := own.keys() - tensors.keys():
        found.append(f"missing: {_listed(missing)}")
    if unknown := tensors.keys() - own.keys():
        found.append(f"of no head: {_listed(unknown)}")
    found += [
        f"{name} must be {tuple(own[name].shape)}, got {tuple(tensors[name].shape)}"
        for name in own
        if name in tensors and own[name].shape != tensors[name].shape
    ]
    if found:
        raise WeightsError(
            f"The tensors of {path} do not make heads ({'; '.join(found)}). Heads have "
            f"{', '.join(f'{prefix}*' for prefix in _PREFIXES)}; the last three may be left out."
        )


def _listed(names: Collection[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")


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
