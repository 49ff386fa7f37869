"""The heads of one encoder on disk: one file for all, as safetensors or as the seed's."""

from collections.abc import Collection
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from headwise.choices import NLI_LABELS, NLIFeatures
from headwise.errors import MismatchError, WeightsError
from headwise.heads.entailment.task_heads import TaskHeads, TaskHeadsConfig
from headwise.heads.storage.files import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    StoredWeights,
    read_config,
    read_weights,
    write_head_files,
)
from headwise.heads.storage.filling import without_memory
from headwise.heads.storage.kinds import TASK_KINDS, TASK_MODEL_TYPE, HeadKind
from headwise.heads.storage.seed_file import SEED_FILE, read_seed_file, write_seed_file

# Names in files and names in the module
_PREFIXES = {file: module for kind in TASK_KINDS for file, module in kind.tensors.items()}


def named_as_in_files(heads: TaskHeads) -> dict[str, Tensor]:
    """The heads' state dict by the seed's names: ``nli_hidden.0.weight`` and so on."""
    return {
        in_file + name.removeprefix(in_module): tensor
        for name, tensor in heads.state_dict().items()
        for in_file, in_module in _PREFIXES.items()
        if name.startswith(in_module)
    }


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
    folder, file = (path, path / WEIGHTS_FILE) if path.is_dir() else (path.parent, path)
    config: dict[str, Any] = {}
    if file.suffix == ".safetensors" and file.is_file():
        config = read_config(folder)
        if not _is_ours(config):
            raise WeightsError(
                f"{folder / CONFIG_FILE} is not that of an encoder's heads: `model_type` must be "
                f"{TASK_MODEL_TYPE!r}, got {config.get('model_type')!r}."
            )
        weights = read_weights(folder, name=file.name)
    elif path.is_dir() and not (path / SEED_FILE).is_file():
        raise WeightsError(
            f"{path} has neither {WEIGHTS_FILE} nor {SEED_FILE}; give a folder of heads."
        )
    else:
        file = path / SEED_FILE if path.is_dir() else path
        if path.is_dir() and (path / CONFIG_FILE).is_file():
            config = read_config(path)
        weights = StoredWeights(read_seed_file(file), file)
    weights.check_numbers()
    heads = without_memory(
        lambda: _build(weights, config if _is_ours(config) else None), told_by=weights.path
    )
    # By the file's names, so that a message speaks of what is in the file
    _check_names_and_shapes(weights, named_as_in_files(heads))
    heads.to_empty(device="cpu")
    for name, tensor in named_as_in_files(heads).items():
        tensor.copy_(weights.tensors[name])
    return heads.requires_grad_(False).eval()


def save_task_heads(
    heads: TaskHeads,
    folder: str | Path,
    *,
    dtype: torch.dtype = torch.float32,
    model_card: str | None = None,
) -> Path:
    """Write heads as safetensors of a type, with a config and, if there is one, a card.

    Args:
        heads: The heads of one encoder.
        folder: Where to.
        dtype: Type of the stored weights.
        model_card: Text of its ``README.md``; ``None`` writes none.

    Returns:
        The folder, which is made if it is missing.

    Raises:
        OutputError: If a file cannot be written.
    """
    config = {
        "model_type": TASK_MODEL_TYPE,
        "labels": list(NLI_LABELS),
        **asdict(heads.config),
        # Neither needs to have weights
        "embedding_head": None
        if heads.embedding is None
        else {"normalise": heads.embedding.normalise},
        "late_interaction_head": None if heads.late_interaction is None else {},
        # What it reads cannot be told from its width
        "abstention_head": None
        if heads.abstention is None
        else {
            "reads_hidden": heads.abstention.hidden_size > 0,
            "evidence_size": heads.abstention.evidence_size,
            "corrects_odds": heads.abstention.corrects_odds,
        },
    }
    write_head_files(
        Path(folder), named_as_in_files(heads), config, dtype=dtype, model_card=model_card
    )
    return Path(folder)


def save_seed_heads(heads: TaskHeads, path: str | Path) -> Path:
    """Write the seed's ``task_heads.pt``.

    The file holds weights alone: neither threshold nor encoder's name go with them. ``path`` is a
    ``.pt`` file, or the folder of one.

    Args:
        heads: The heads of one encoder.
        path: The ``.pt`` file, or its folder.

    Returns:
        The file.

    Raises:
        ValueError: If the heads read other features, or the abstention head corrects odds, which
            the file cannot say.
        OutputError: If the file cannot be written.
    """
    if heads.config.features is not NLIFeatures.JOINT:
        raise ValueError(
            f"{SEED_FILE} is for heads that read {NLIFeatures.JOINT.value!r} features, these read "
            f"{heads.config.features.value!r}; write them with `save_task_heads`."
        )
    if heads.abstention is not None and heads.abstention.corrects_odds:
        raise ValueError(
            f"{SEED_FILE} is for abstention heads that learn all of the doubt; train one with "
            "`--no-corrects-odds`, or write these heads with `save_task_heads`."
        )
    path = Path(path)
    path = path if path.suffix == ".pt" else path / SEED_FILE
    write_seed_file(path, named_as_in_files(heads))
    return path


def _is_ours(config: dict[str, Any]) -> bool:
    return config.get("model_type") == TASK_MODEL_TYPE


def _build(weights: StoredWeights, config: dict[str, Any] | None) -> TaskHeads:
    """Heads of the right sizes; without a config, their NLI head reads the joint first token."""
    input_size = weights.matrix("nli_hidden.0.weight").shape[1]
    classes = weights.matrix("nli_output.weight").shape[0]
    if classes != len(NLI_LABELS):
        raise WeightsError(
            f"The NLI head in {weights.path} must have {len(NLI_LABELS)} classes, in the order "
            f"{', '.join(NLI_LABELS)}, got {classes}."
        )
    if config is None:
        parsed = TaskHeadsConfig(
            features=NLIFeatures.JOINT, hidden_size=input_size, embedding_size=input_size
        )
    else:
        parsed = _parse(config, weights.path)
    read = {"embedding": parsed.embedding_size, "late_interaction": parsed.hidden_size}
    parts: dict[str, Any] = {}
    for kind in TASK_KINDS:
        stated = _stated(kind, config or {}, weights.path)
        if stated is not None or not kind.optional or weights.has(*kind.tensors):
            told = stated or {}
            if kind.name == "abstention" and told.get("reads_hidden", True):
                read[kind.name] = parts["nli"].hidden_size
            said = {
                "hidden_size": read.get(kind.name, 0),
                "normalise": bool(told.get("normalise", True)),
                "evidence_size": _evidence_size(told, weights.path),
                "corrects_odds": bool(told.get("corrects_odds", False)),
            }
            parts[kind.name] = kind.head(**kind.arguments(weights, said))
    for head, interaction in (("nli", "interaction"), ("second", "second_interaction")):
        network = parts.pop(interaction, None)
        if head in parts:
            parts[head].interaction = network
    try:
        return TaskHeads(config=parsed, **parts)
    except MismatchError as error:
        raise WeightsError(f"{weights.path} does not fit its {CONFIG_FILE}: {error}") from None


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


def _stated(kind: HeadKind, config: dict[str, Any], path: Path) -> dict[str, Any] | None:
    """What the config says about a head that may have no weights."""
    name = next(iter(kind.tensors)).rstrip(".")
    stated = config.get(name) if kind.settings else None
    if stated is None or isinstance(stated, dict):
        return stated
    raise WeightsError(
        f"{path.parent / CONFIG_FILE}: `{name}` must be null or an object, got {stated!r:.60}."
    )


def _evidence_size(stated: dict[str, Any], path: Path) -> int:
    size = stated.get("evidence_size", 0)
    if type(size) is not int or size < 0:
        raise WeightsError(
            f"{path.parent / CONFIG_FILE}: `evidence_size` must be a whole number of at least 0, "
            f"got {size!r:.60}."
        )
    return size


def _check_names_and_shapes(weights: StoredWeights, own: dict[str, Tensor]) -> None:
    tensors, found = weights.tensors, []
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
            f"The tensors of {weights.path} do not make heads ({'; '.join(found)}). Heads have "
            f"{', '.join(f'{prefix}*' for prefix in _PREFIXES)}; all but the first two may be left "
            "out."
        )


def _listed(names: Collection[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")
