"""Names of bundled models, and what can be a name at all; nothing here needs PyTorch."""

from importlib.resources import files
from pathlib import Path

from headwise.backbones.gguf_names import GEMMA, hub_file, is_gguf_file, is_gguf_name
from headwise.errors import UnknownModelError

QUALITY_FOLDERS = {"tiny-en-de": "tiny_en_de"}
BUNDLED_NAMES = tuple(QUALITY_FOLDERS)
"""Language models with a quality head."""

ENTAILMENT_FOLDERS = {"minilm-snli": "minilm_snli"}
ENTAILMENT_NAMES = tuple(ENTAILMENT_FOLDERS)
"""Heads of an encoder that says what follows from what."""

MINILM = "all-MiniLM-L6-v2"
"""The encoder of the bundled heads; it comes in a package of its own, not from a hub."""

_ALL_NAMES = (*BUNDLED_NAMES, *ENTAILMENT_NAMES, MINILM, GEMMA)


def bundled_folder(name: str) -> Path:
    """The folder of a bundled model; a quality model has its head in ``head/``."""
    return Path(str(files("headwise.bundled") / (QUALITY_FOLDERS | ENTAILMENT_FOLDERS)[name]))


def expect_name(name: str, fitting: tuple[str, ...] = BUNDLED_NAMES) -> None:
    """Refuse what is neither bundled nor there, and cannot be on a hub.

    Args:
        name: Given by a user for a model or a head; a file is one of GGUF.
        fitting: The bundled names to propose instead.

    Raises:
        UnknownModelError: If so.
    """
    if name in _ALL_NAMES or Path(name).is_dir() or is_gguf_file(Path(name)):
        return
    if is_gguf_name(name):
        if hub_file(name) is None:
            raise UnknownModelError(f"There is no GGUF file {name!r}.")
        return
    parts = name.split("/")
    if len(parts) != 2 or not all(parts) or name.startswith((".", "~")):
        raise UnknownModelError(
            f"{name!r} is neither bundled nor a folder. Bundled: {', '.join(fitting)}. From "
            f"packages or the hub: {GEMMA}. Or give a folder, a GGUF file, or a hub id of the form "
            "owner/name."
        )
