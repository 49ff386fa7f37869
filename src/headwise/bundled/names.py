"""Names of bundled models, and what can be a name at all; nothing here needs PyTorch."""

from importlib.resources import files
from pathlib import Path

from headwise.backbones.gguf_names import GEMMA, hub_file, is_gguf_file, is_gguf_name
from headwise.errors import UnknownModelError

QUALITY_FOLDERS = {"tiny-en-de": "tiny_en_de"}
BUNDLED_NAMES = tuple(QUALITY_FOLDERS)
"""Language models with a quality head."""

HEAD_FOLDERS = {GEMMA: "gemma_3_270m"}
"""Folders of heads whose language model comes from elsewhere."""

ENTAILMENT_FOLDERS = {"minilm-snli": "minilm_snli"}
ENTAILMENT_NAMES = tuple(ENTAILMENT_FOLDERS)
"""Heads of an encoder that says what follows from what."""

MINILM = "all-MiniLM-L6-v2"
"""The encoder of the bundled heads; it comes in a package of its own, not from a hub."""

_ALL_NAMES = (*BUNDLED_NAMES, *ENTAILMENT_NAMES, MINILM, GEMMA)
# How files end that are found beside weights, or hold them; sentence-transformers has modules
_OF_MODELS = ("config.json", "modules.json", ".safetensors", ".pt", ".bin", ".gguf")


def bundled_folder(name: str) -> Path:
    """The folder of a bundled model; a quality model has its head in ``head/``."""
    folders = QUALITY_FOLDERS | HEAD_FOLDERS | ENTAILMENT_FOLDERS
    return Path(str(files("headwise.bundled") / folders[name]))


def bundled_head(name: str) -> Path | None:
    """The folder of a language model's bundled heads; ``None`` if there are none."""
    if name not in QUALITY_FOLDERS | HEAD_FOLDERS:
        return None
    folder = bundled_folder(name) / "head"
    return folder if folder.is_dir() else None


def grounding_head(name: str) -> Path | None:
    """The folder of the bundled error head that reads answers behind their contexts, if any.

    Args:
        name: A bundled language model, such as ``gemma-3-270m``.
    """
    if name not in HEAD_FOLDERS:
        return None
    folder = bundled_folder(name) / "grounding"
    return folder if folder.is_dir() else None


def expect_name(name: str, fitting: tuple[str, ...] = BUNDLED_NAMES) -> None:
    """Refuse what is neither bundled nor there, and cannot be on a hub.

    Args:
        name: Given by a user for a model or a head; a file is one of GGUF.
        fitting: The bundled names to propose instead.

    Raises:
        UnknownModelError: If so.
    """
    if name in (*fitting, GEMMA) or is_gguf_file(Path(name)):
        return
    if name in QUALITY_FOLDERS:
        raise not_for_entailment(name)
    if name in _ALL_NAMES:
        raise not_for_quality(name)
    if (folder := Path(name)).is_dir():
        if not any(p.name.endswith(_OF_MODELS) or is_gguf_file(p) for p in folder.iterdir()):
            raise UnknownModelError(
                f"The folder {name!r} holds neither a model nor a head: nothing in it is called "
                f"{', '.join('*' + end for end in _OF_MODELS)}."
            )
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


def not_for_quality(name: str) -> UnknownModelError:
    """What is said of an entailment model where one is to score tokens."""
    return UnknownModelError(
        f"{name!r} is an entailment model, which scores no tokens: use it with "
        "`EntailmentModel.from_pretrained` or `headwise nli`. "
        f"Bundled quality models: {', '.join(BUNDLED_NAMES)}."
    )


def not_for_entailment(name: str) -> UnknownModelError:
    """What is said of a quality model where one is to say what follows from what."""
    return UnknownModelError(
        f"{name!r} is a quality model, which knows nothing of entailment: use it with "
        "`QualityEstimator.from_pretrained` or `headwise score`. "
        f"Bundled entailment models: {', '.join(ENTAILMENT_NAMES)}."
    )
