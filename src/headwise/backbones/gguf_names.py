"""How GGUF files and models from packages are named; imports nothing heavy."""

from pathlib import Path, PureWindowsPath

from headwise.errors import UnknownModelError

GEMMA = "gemma-3-270m"
GEMMA_HUB = f"google/{GEMMA}"
"""The language model that packages hold as a GGUF file, or that the hub has."""

GEMMA_TERMS = (
    f"{GEMMA} is provided under and subject to the Gemma Terms of Use found at "
    "https://ai.google.dev/gemma/terms"
)
"""What its terms ask to be said where it is handed on."""

ENDING, MAGIC = ".gguf", b"GGUF"
# Owner and name of a repository; what follows is a file in it
_OF_REPOSITORY = 2


def gguf_name(name: str | Path, gguf_file: str | None) -> str:
    """The one name of a GGUF file in a folder or on the hub: ``folder/file``, ``owner/name/file``.

    Args:
        name: The folder or hub id, or the whole name.
        gguf_file: The file in it; ``None`` if ``name`` says everything.

    Raises:
        UnknownModelError: If it is no GGUF file, or lies elsewhere.
    """
    if gguf_file is None:
        return str(name)
    path = PureWindowsPath(gguf_file)  # knows the roots of all systems
    if path.anchor or ".." in path.parts or not is_gguf_name(gguf_file):
        raise UnknownModelError(
            f"`gguf_file` must name a {ENDING} file inside of {name}, got {gguf_file!r}."
        )
    return f"{str(name).rstrip('/')}/{gguf_file}"


def is_gguf_name(name: str) -> bool:
    """Whether a name ends as those of GGUF files do."""
    return name.lower().endswith(ENDING)


def is_gguf_file(path: Path) -> bool:
    """Whether there is a GGUF file, by its name or its first bytes: Ollama's have no ending."""
    if not path.is_file():
        return False
    if is_gguf_name(path.name):
        return True
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def hub_file(name: str) -> tuple[str, str] | None:
    """Hub id and file of a name like ``owner/name/file.gguf``; ``None`` if it is none."""
    parts = name.split("/")
    if not is_gguf_name(name) or len(parts) <= _OF_REPOSITORY or not all(parts):
        return None
    if name.startswith((".", "~")) or ".." in parts or "\\" in name:
        return None
    return "/".join(parts[:_OF_REPOSITORY]), "/".join(parts[_OF_REPOSITORY:])
