"""Error heads on disk, beside a Sigmoid Head or alone."""

from pathlib import Path
from typing import Any

import torch

from headwise.errors import MismatchError, WeightsError
from headwise.files import naming_output
from headwise.heads.quality.error_head import ErrorHead
from headwise.heads.storage.files import (
    CALIBRATION_FILE,
    CONFIG_FILE,
    FileNames,
    HeadInfo,
    read_config,
    read_tensors,
    write_head_files,
)

ERROR_FILES = FileNames("error_head.json", "error_head.safetensors", "error_head.md")
# What the card of an error head that was trained here speaks of
ERROR_CURVES_FILE, ERROR_RUN_FILE = "error_head.png", "error_head.yaml"

_SIZES = ("hidden_size", "variant", "inner_size", "rank", "statistics")
# Means of large inputs, whose digits matter
_EXACT = ("mean", "scale")


def has_error_head(folder: str | Path) -> bool:
    """Whether a folder holds an error head, complete or not."""
    return any((Path(folder) / n).is_file() for n in (ERROR_FILES.config, ERROR_FILES.weights))


def read_error_head_info(folder: str | Path) -> HeadInfo:
    """What a folder says about its error head.

    Raises:
        WeightsError: If it does not say anything.
        MismatchError: If a Sigmoid Head in the same folder reads another prompt.
    """
    folder = Path(folder)
    config = read_config(folder, name=ERROR_FILES.config)
    check_same_prompt(folder, config.get("prompt"))
    return HeadInfo(ErrorHead.head_type, config.get("prompt"), config.get("backbone"))


def load_error_head(folder: str | Path) -> ErrorHead | None:
    """Load an error head, in float32 and frozen.

    Args:
        folder: Where it is.

    Returns:
        The head, or ``None`` if the folder has none.

    Raises:
        WeightsError: If the files are damaged or do not belong together, or one of them is
            missing.
        MismatchError: If a Sigmoid Head in the same folder reads another prompt.
    """
    folder = Path(folder)
    if not has_error_head(folder):
        return None
    config = read_config(folder, name=ERROR_FILES.config)
    check_same_prompt(folder, config.get("prompt"))
    weights = folder / ERROR_FILES.weights
    if not weights.is_file():
        raise WeightsError(f"{folder} has {ERROR_FILES.config}, but no {ERROR_FILES.weights}.")
    try:
        head = ErrorHead(**{name: config[name] for name in _SIZES})
    except KeyError as error:
        raise WeightsError(f"{folder / ERROR_FILES.config} lacks {error}.") from None
    except ValueError as error:
        raise WeightsError(f"{folder / ERROR_FILES.config} is wrong: {error}") from None
    tensors = {name: tensor.float() for name, tensor in read_tensors(weights).items()}
    try:
        head.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsError(f"{weights} does not fit {ERROR_FILES.config}: {error}") from None
    return head.requires_grad_(False).eval()


def save_error_head(
    head: ErrorHead,
    folder: str | Path,
    *,
    prompt: dict[str, Any] | None,
    backbone: str | None,
    dtype: torch.dtype = torch.float32,
    model_card: str | None = None,
) -> Path:
    """Write an error head to a folder; a Sigmoid Head that is there stays.

    A calibration that lies there is removed: it fits other weights.

    Args:
        head: The head.
        folder: Where to; made if it is missing.
        prompt: The prompt template in its saved form.
        backbone: Name of the language model that the head belongs to.
        dtype: Floating point type of the file; what inputs are standardised by stays float32.
        model_card: Text of ``error_head.md``; none is written if ``None``.

    Returns:
        The folder.

    Raises:
        MismatchError: If a Sigmoid Head in the folder reads another prompt.
        OutputError: If a file cannot be written.
    """
    folder = Path(folder)
    check_same_prompt(folder, prompt)
    config = {
        "head_type": head.head_type,
        **{name: getattr(head, name) for name in _SIZES},
        "prompt": prompt,
        "backbone": backbone,
    }
    with naming_output(folder):
        (folder / CALIBRATION_FILE).unlink(missing_ok=True)
    write_head_files(
        folder,
        head.state_dict(),
        config,
        dtype=dtype,
        model_card=model_card,
        names=ERROR_FILES,
        exact=_EXACT,
    )
    return folder


def check_same_prompt(folder: Path, prompt: dict[str, Any] | None) -> None:
    """Refuse a prompt that differs from that of the Sigmoid Head in a folder, if there is one.

    One pass of the model serves all heads of a folder.

    Args:
        folder: A head's folder, there or not.
        prompt: The error head's prompt in its saved form; ``None`` fits any.

    Raises:
        MismatchError: If they differ; it says in what.
    """
    heads = "The error head", f"the Sigmoid Head in {folder}"
    _refuse_two_prompts(prompt, _saved_prompt(folder, CONFIG_FILE), heads)


def check_prompt_of_error_head(folder: Path, prompt: dict[str, Any] | None) -> None:
    """Refuse a prompt of a Sigmoid Head that is to stand beside the error head in a folder.

    Args:
        folder: A head's folder, there or not.
        prompt: The Sigmoid Head's prompt in its saved form; ``None`` fits any.

    Raises:
        MismatchError: If there is an error head that reads another one; it says in what.
    """
    heads = f"The error head in {folder}", "the Sigmoid Head"
    _refuse_two_prompts(_saved_prompt(folder, ERROR_FILES.config), prompt, heads)


def differing_part(prompt: dict[str, Any] | None, other: dict[str, Any] | None) -> str | None:
    """Name of a part in which two saved prompts differ; ``None`` if they fit together.

    A prompt that is not known fits any, and so does a part that only one of them says.
    """
    if not isinstance(prompt, dict) or not isinstance(other, dict):
        return None
    return min((n for n in prompt.keys() & other.keys() if prompt[n] != other[n]), default=None)


def _saved_prompt(folder: Path, name: str) -> dict[str, Any] | None:
    return read_config(folder, name=name).get("prompt") if (folder / name).is_file() else None


def _refuse_two_prompts(
    prompt: dict[str, Any] | None, other: dict[str, Any] | None, heads: tuple[str, str]
) -> None:
    name = differing_part(prompt, other)
    if name is not None and prompt is not None and other is not None:
        raise MismatchError(
            f"{heads[0]} reads another prompt than {heads[1]} ({name}: {prompt[name]!r:.100} "
            f"against {other[name]!r:.100}). Train one of them with the other's prompt, or keep "
            "them in folders of their own."
        )
