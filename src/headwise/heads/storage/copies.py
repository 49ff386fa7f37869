"""Heads of a language model from elsewhere: found, downloaded, copied with all of theirs."""

from pathlib import Path
from typing import Any, cast

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from headwise.errors import UnknownModelError
from headwise.files import atomic_path, naming_output
from headwise.heads.quality.rescaling_head import TokenLogits
from headwise.heads.storage.files import CALIBRATION_FILE, STATES_FILE
from headwise.heads.storage.kinds import ERROR_FILES, HUB_FILES, has_sigmoid_head
from headwise.heads.storage.quality_heads import (
    check_same_prompt,
    load_error_head,
    load_head,
    read_head_info,
    save_head,
    write_head,
)
from headwise.heads.storage.seed_file import SEED_FILE


def head_folder(name: str | Path) -> Path:
    """A folder on this machine that holds a head or heads: the given one, or a hub download.

    Args:
        name: A folder, or an id of the hub.

    Raises:
        UnknownModelError: If there is neither.
    """
    if Path(name).is_dir():
        return Path(name)
    # Code that lies beside a head stays where it is
    patterns = [
        file
        for names in (HUB_FILES, ERROR_FILES)
        for file in (names.config, names.weights, names.card)
    ]
    try:
        wanted = [*patterns, SEED_FILE, CALIBRATION_FILE, STATES_FILE]
        return Path(snapshot_download(str(name), allow_patterns=wanted))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise UnknownModelError(
            f"There is no head at {str(name)!r}: neither a folder nor a hub id that can be "
            "reached from here."
        ) from error


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
        output: Where to; also what is returned.
        dtype: ``float32``, ``bfloat16`` or ``float16``.
        backbone: Name of the language model, to be written instead of what the folder says.
        prompt: The prompt template in its saved form, likewise.
        with_error_head: Whether the error head goes too; otherwise the Sigmoid Head alone does.

    Raises:
        WeightsError: If the head cannot be read.
        MismatchError: If a head that is in the output and stays reads another prompt.
        OutputError: If a file cannot be written.
    """
    if dtype not in ("float32", "bfloat16", "float16"):
        raise ValueError(f"`dtype` must be float32, bfloat16 or float16, got {dtype!r}.")
    stored_as = getattr(torch, dtype)
    error_head = load_error_head(folder) if with_error_head else None
    head = None
    if error_head is None or has_sigmoid_head(folder):
        # No score is asked of it, so that it needs no backbone
        head = load_head(folder, unembedding=lambda: cast(TokenLogits, None))
    info = read_head_info(folder)
    prompt, backbone = prompt or info.prompt, backbone or info.backbone
    # All is read before anything is written: both folders may be the same
    card, error_card = _text(folder / HUB_FILES.card), _text(folder / ERROR_FILES.card)
    names = [HUB_FILES.curves, HUB_FILES.run, STATES_FILE]
    if with_error_head:
        # The calibration last: a head that is written removes it
        names += [ERROR_FILES.curves, ERROR_FILES.run, CALIBRATION_FILE]
    companions = {n: (folder / n).read_bytes() for n in names if (folder / n).is_file()}
    written = Path(output)
    if error_head is None:  # one that is written too brings its own prompt
        check_same_prompt(written, prompt, of_error_head=False)
    if head is not None:
        write_head(head, written, prompt, backbone, dtype=stored_as, model_card=card)
    if error_head is not None:
        save_head(
            error_head,
            written,
            prompt=prompt,
            backbone=backbone,
            dtype=stored_as,
            model_card=error_card,
        )
    for name, content in companions.items():
        with naming_output(written), atomic_path(written / name) as temporary:
            temporary.write_bytes(content)
    return written


def _text(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None
