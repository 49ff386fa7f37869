"""Find a model and its head by bundled name, folder, or hub id."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from headwise.errors import UnknownModelError
from headwise.heads.storage import CONFIG_FILE, head_folder, read_head_info

_FOLDERS = {"tiny-en-de": "tiny_en_de"}
BUNDLED_NAMES = tuple(_FOLDERS)


@dataclass(frozen=True, slots=True)
class ModelLocation:
    """Where a backbone and its head are.

    Attributes:
        backbone: A folder or a hub id.
        head: A folder on this machine, or ``None`` for the backbone alone.
    """

    backbone: str
    head: Path | None


def bundled_folder(name: str) -> Path:
    """The folder of a bundled model: its backbone, with the head in ``head/``."""
    return Path(str(files("headwise.bundled") / _FOLDERS[name]))


def locate(name: str | Path, head: str | Path | None = None) -> ModelLocation:
    """Find a backbone and its head.

    Args:
        name: A bundled name, a folder or hub id of a language model, or the folder of a head
            that knows its backbone.
        head: A folder or hub id of a head, or a bundled name for that model's head; overrides
            what ``name`` implies.

    Raises:
        UnknownModelError: If the name is not a folder and cannot be a hub id.
    """
    found = _locate(str(name))
    if head is None:
        return found
    if str(head) in _FOLDERS:
        return ModelLocation(found.backbone, bundled_folder(str(head)) / "head")
    _check_name(str(head))
    return ModelLocation(found.backbone, head_folder(head))


def _locate(name: str) -> ModelLocation:
    if name in _FOLDERS:
        folder = bundled_folder(name)
        return ModelLocation(str(folder), folder / "head")
    _check_name(name)
    folder = Path(name)
    if (folder / CONFIG_FILE).is_file() and (folder / "sigmoid_head.py").is_file():
        backbone = read_head_info(folder).backbone
        if backbone is None:
            raise UnknownModelError(
                f"{name} is a head that does not name its backbone; give the backbone first and "
                "this folder as `head`."
            )
        return ModelLocation(_locate(backbone).backbone, folder)
    return ModelLocation(name, None)


def _check_name(name: str) -> None:
    if not Path(name).is_dir() and "/" not in name:
        raise UnknownModelError(
            f"{name!r} is neither bundled nor a folder. Bundled: {', '.join(BUNDLED_NAMES)}. "
            "Or give a folder, or a hub id of the form owner/name."
        )
