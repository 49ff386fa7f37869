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

from headwise.errors import MismatchError, UnknownModelError, WeightsError
from headwise.files import atomic_path, naming_output
from headwise.heads.quality.biased_head import ContextualSigmoidHead
from headwise.heads.quality.error_head import ErrorHead
from headwise.heads.quality.head_types import HEAD_TYPES, QualityHead, build_head
from headwise.heads.quality.rescaling_head import RescalingHead, TokenLogits
from headwise.heads.quality.sigmoid_head import SigmoidHead
from headwise.heads.storage.error_head import (
    ERROR_CURVES_FILE,
    ERROR_FILES,
    ERROR_RUN_FILE,
    check_prompt_of_error_head,
    has_error_head,
    load_error_head,
    read_error_head_info,
    save_error_head,
)
from headwise.heads.storage.files import (
    CALIBRATION_FILE,
    CARD_FILE,
    CONFIG_FILE,
    WEIGHTS_FILE,
    FileNames,
    HeadInfo,
    matrix,
    model_type,
    read_config,
    read_weights,
    write_head_files,
)
from headwise.heads.storage.seed_file import SEED_FILE


@dataclass(frozen=True, slots=True)
class StoredSizes:
    """Sizes of a head; 0 for what it has not.

    Attributes:
        vocabulary_size: V.
        hidden_size: H.
        context_size: Inner width of a contextual bias.
    """

    vocabulary_size: int = 0
    hidden_size: int = 0
    context_size: int = 0


def read_sizes(tensors: dict[str, Tensor], head_type: str, folder: Path) -> StoredSizes:
    """Read the sizes of a head.

    Args:
        tensors: Its weights.
        head_type: One of :data:`headwise.heads.HEAD_TYPES`.
        folder: Where they come from, for the message.

    Raises:
        WeightsError: If a matrix that tells a size is missing.
    """
    if head_type == RescalingHead.head_type:
        return StoredSizes()
    path = folder / WEIGHTS_FILE
    vocabulary_size, hidden_size = matrix(tensors, "weight", path).shape
    if head_type != ContextualSigmoidHead.head_type:
        return StoredSizes(vocabulary_size, hidden_size)
    context_size = matrix(tensors, "context.0.weight", path).shape[0]
    return StoredSizes(vocabulary_size, hidden_size, context_size)


CODE_FILE = "sigmoid_head.py"


_MODEL_TYPE = "sigmoid_head"


# What the card of a head that was trained here speaks of
CURVES_FILE, RUN_FILE = "curves.png", "run.yaml"


# What goes with a copy as it is; the calibration last, since a head that is written removes it
_COMPANIONS = (CURVES_FILE, RUN_FILE)


_COMPANIONS_OF_ALL = (*_COMPANIONS, ERROR_CURVES_FILE, ERROR_RUN_FILE, CALIBRATION_FILE)


def head_folder(name: str | Path) -> Path:
    """A folder on this machine that holds a head or heads: the given one, or a hub download.

    Raises:
        UnknownModelError: If there is neither.
    """
    if Path(name).is_dir():
        return Path(name)
    try:
        patterns = [
            file
            for names in (FileNames(), ERROR_FILES)
            for file in (names.config, names.weights, names.card)
        ] + [SEED_FILE, CALIBRATION_FILE]
        return Path(snapshot_download(str(name), allow_patterns=patterns))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise UnknownModelError(
            f"There is no head at {str(name)!r}: neither a folder nor a hub id that can be "
            "reached from here."
        ) from error


def has_sigmoid_head(folder: str | Path) -> bool:
    """Whether a folder holds a Sigmoid Head of any type, complete or not."""
    folder = Path(folder)
    if not any((folder / name).is_file() for name in (CONFIG_FILE, WEIGHTS_FILE)):
        return False
    return model_type(folder) in (_MODEL_TYPE, None)  # released ones need not say it


def read_head_info(folder: Path) -> HeadInfo:
    """Read the config of a head's folder; what it leaves open, that of its error head may say.

    Raises:
        WeightsError: If it is missing or is not a head's.
        MismatchError: If the folder's heads read different prompts.
    """
    other = HeadInfo(ErrorHead.head_type, None, None)
    if has_error_head(folder):
        other = read_error_head_info(folder)
        if not (folder / CONFIG_FILE).is_file():
            return other
    config = read_config(folder)
    return HeadInfo(
        head_type=config.get("head_type") or SigmoidHead.head_type,
        prompt=config.get("prompt") or other.prompt,
        backbone=config.get("backbone") or other.backbone,
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
    tensors = read_weights(folder)
    head_type = read_config(folder).get("head_type") or SigmoidHead.head_type
    if head_type not in HEAD_TYPES:
        raise WeightsError(
            f"{folder / CONFIG_FILE} names an unknown head: {head_type!r}; "
            f"known are {', '.join(HEAD_TYPES)}."
        )
    sizes = read_sizes(tensors, head_type, folder)
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


def check_fit(head: QualityHead | ErrorHead, *, vocabulary_size: int, hidden_size: int) -> None:
    """Refuse a head that belongs to another language model.

    Raises:
        MismatchError: If vocabulary or hidden size differ.
    """
    remedy = "load the backbone that the head was trained on."
    if isinstance(head, ErrorHead) and head.hidden_size != hidden_size:
        raise MismatchError(
            f"The error head has hidden size {head.hidden_size}, the backbone has {hidden_size}; "
            f"{remedy}"
        )
    if not isinstance(head, SigmoidHead):
        return
    own = tuple(head.weight.shape)
    if own != (vocabulary_size, hidden_size):
        raise MismatchError(
            f"The head has vocabulary {own[0]} and hidden size {own[1]}, the backbone has "
            f"{vocabulary_size} and {hidden_size}; {remedy}"
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
        MismatchError: If an error head in the folder reads another prompt.
        OutputError: If a file cannot be written.
    """
    check_prompt_of_error_head(Path(folder), prompt)
    info = HeadInfo(head.head_type, prompt, backbone)
    tensors = head.state_dict()
    sizes = read_sizes(tensors, info.head_type, Path(folder))
    return _write(Path(folder), tensors, info, sizes, dtype, model_card)


def copy_head(
    folder: Path,
    output: str | Path,
    *,
    dtype: str = "float32",
    backbone: str | None = None,
    prompt: dict[str, Any] | None = None,
    with_error_head: bool = True,
) -> Path:
    """Write the heads that lie in one folder to another one, in the full hub layout.

    Their calibration, if they have one, goes with them, unless the error head stays behind: it is
    that of both.

    Args:
        folder: Where a Sigmoid Head, an error head or both are; a released head will do.
        output: Where to.
        dtype: ``float32``, ``bfloat16`` or ``float16``.
        backbone: Name of its language model, if the folder does not say it.
        prompt: Its prompt template in the saved form, likewise.
        with_error_head: Whether the error head goes too; otherwise the Sigmoid Head alone does.

    Returns:
        The output folder.

    Raises:
        WeightsError: If the head cannot be read.
        MismatchError: If a head that is in the output and stays reads another prompt.
        OutputError: If a file cannot be written.
    """
    if dtype not in ("float32", "bfloat16", "float16"):
        raise ValueError(f"`dtype` must be float32, bfloat16 or float16, got {dtype!r}.")
    error_head = load_error_head(folder) if with_error_head else None
    stored_as = getattr(torch, dtype)
    sigmoid_head = error_head is None or has_sigmoid_head(folder)
    tensors = read_weights(folder) if sigmoid_head else {}
    info = read_head_info(folder)
    info = HeadInfo(info.head_type, prompt or info.prompt, backbone or info.backbone)
    sizes = read_sizes(tensors, info.head_type, folder) if sigmoid_head else StoredSizes()
    card, error_card = _text(folder / CARD_FILE), _text(folder / ERROR_FILES.card)
    names = _COMPANIONS_OF_ALL if with_error_head else _COMPANIONS
    companions = {n: (folder / n).read_bytes() for n in names if (folder / n).is_file()}
    written = Path(output)
    if error_head is None:  # one that is written too brings its own prompt
        check_prompt_of_error_head(written, info.prompt)
    if sigmoid_head:
        _write(written, tensors, info, sizes, stored_as, card)
    if error_head is not None:
        save_error_head(
            error_head,
            written,
            prompt=info.prompt,
            backbone=info.backbone,
            dtype=stored_as,
            model_card=error_card,
        )
    for name, content in companions.items():
        with naming_output(written), atomic_path(written / name) as temporary:
            temporary.write_bytes(content)
    return written


def _text(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None


def _write(
    folder: Path,
    tensors: dict[str, Tensor],
    info: HeadInfo,
    sizes: StoredSizes,
    dtype: torch.dtype,
    model_card: str | None,
) -> Path:
    config: dict[str, Any] = {
        "architectures": ["SigmoidHead"],
        "auto_map": {
            "AutoConfig": "sigmoid_head.SigmoidHeadConfig",
            "AutoModel": "sigmoid_head.SigmoidHead",
        },
        "model_type": _MODEL_TYPE,
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
            temporary.write_bytes((files("headwise.heads.storage.hub") / CODE_FILE).read_bytes())
    write_head_files(folder, tensors, config, dtype=dtype, model_card=model_card)
    return folder
