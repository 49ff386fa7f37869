"""Write a file under a temporary name and rename it, so that no reader meets half a file."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from headwise.errors import OutputError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; on success it takes the place of ``path``.

    The temporary name is always the same, so that what a killed process left there is written
    over and does not pile up.

    Yields:
        The temporary name. If the block fails, it is removed and ``path`` stays as it was.
    """
    path = Path(path)
    temporary = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def naming_output(path: str | Path) -> Iterator[None]:
    """Name the file in what the operating system says while it is written.

    Raises:
        OutputError: For every ``OSError``: no space, no permission, no such folder.
    """
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors under a temporary name and rename the file.

    Raises:
        OutputError: If they cannot be written.
    """
    with naming_output(path), atomic_path(path) as temporary:
        try:
            # safetensors keeps its files to their owner; others may read what they may read of us
            temporary.touch()
            mode = temporary.stat().st_mode
            save_file(dict(tensors), temporary, metadata={"format": "pt"})
            temporary.chmod(mode)
        except SafetensorError as error:  # its own name for what the operating system said
            raise OutputError(f"{path} cannot be written: {error}.") from error
