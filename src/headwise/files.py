"""Files and folders that are whole or not there, and folders that one process writes at a time."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import lock_descriptor

from headwise.errors import OutputError

if TYPE_CHECKING:
    from torch import Tensor


CACHE_VARIABLE = "HEADWISE_CACHE"


def cache_folder() -> Path:
    """Where headwise keeps what it can make again: ``HEADWISE_CACHE``, or the platform's place."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        caches = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        caches = Path.home() / "Library" / "Caches"
    else:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "headwise"


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; on success it takes the place of ``path``.

    The temporary name is always the same, so that what a killed process left there is written
    over and does not pile up.

    Yields:
        The temporary name. If the block fails, it is removed and ``path`` stays as it was.
    """
    path = Path(path)
    temporary = temporary_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_paths(path: Path, *companions: Path) -> Iterator[list[Path]]:
    """Give temporary names of files that belong together; on success all take their places.

    ``path`` is the last one to do so. While it is not there and its temporary name is, companions
    that are there are what a killed process left (:func:`is_half_written`). A companion that the
    block does not write is removed. No old file ever stands beside a new one.

    Yields:
        Temporary names, in the order of the arguments. If the block fails, all are removed and
        the files stay as they were.
    """
    temporaries = [temporary_name(one) for one in (path, *companions)]
    try:
        yield temporaries
        for temporary in filter(Path.exists, temporaries):
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
    except BaseException:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)
        raise
    path.unlink(missing_ok=True)
    for temporary, companion in zip(temporaries[1:], companions, strict=True):
        if temporary.exists():
            temporary.replace(companion)
        else:
            companion.unlink(missing_ok=True)
    temporaries[0].replace(path)


def is_half_written(path: Path) -> bool:
    """Whether a process was killed while it wrote a file, before the file was there."""
    return not path.exists() and temporary_name(path).exists()


def temporary_name(path: Path) -> Path:
    """What a file is called while it is written."""
    return path.with_name(path.name + ".tmp")


def refuse_overwriting(inputs: Iterable[str | Path], outputs: Iterable[Path]) -> None:
    """Refuse to write over what is to be read: a file, or one that lies in a folder.

    Raises:
        OutputError: If an input is one of the outputs, by whatever name or link.
    """
    # Not by name: links and relative paths lead to the same file
    written = {_identity(p) for output in outputs for p in (output, temporary_name(output))}
    for path in map(Path, inputs):
        for file in path.iterdir() if path.is_dir() else (path,):
            if (identity := _identity(file)) is not None and identity in written:
                raise OutputError(
                    f"The command would write over its input `{file}`; choose another output."
                )


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from all others on this machine; ``None`` if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if path.is_file() else None


def remove_folder(path: Path) -> None:
    """Remove a folder with all that it holds; a killed process leaves no half of it.

    What is left then is called as :func:`atomic_path` calls its temporary files.
    """
    temporary = temporary_name(path)
    shutil.rmtree(temporary, ignore_errors=True)
    path.rename(temporary)
    shutil.rmtree(temporary, ignore_errors=True)


def holds_lock(descriptor: int) -> bool:
    """Take the lock of an open file or folder, unless another process has it.

    The lock vanishes with the process, however it ends, and leaves nothing behind. A file system
    without locks lets everybody in.
    """
    try:
        # What has no name any more was removed since it was opened
        return lock_descriptor(descriptor, blocking=False) and os.fstat(descriptor).st_nlink > 0
    except OSError:
        return True


def refuse_written(path: Path, *, shown: Path | None = None) -> None:
    """Refuse a file or folder that another process is writing now, before the work begins.

    Args:
        path: What such a process locks; it need not be there.
        shown: What the message calls it.

    Raises:
        OutputError: If so.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return  # what cannot be opened is found out when it is written
    try:
        if not holds_lock(descriptor):
            raise being_written(shown or path)
    finally:
        os.close(descriptor)


def being_written(path: Path) -> OutputError:
    """What is said of a file or folder that another process is writing."""
    return OutputError(f"Another process is writing {path}; wait for it, or choose another output.")


@contextmanager
def only_writer_of(path: Path) -> Iterator[None]:
    """Be the only process that makes a file, which :func:`atomic_paths` writes in the block.

    Raises:
        OutputError: If another process is making it, or it cannot be written.
    """
    temporary = temporary_name(path)
    with naming_output(path):
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not holds_lock(descriptor):
            raise being_written(path)
        try:
            yield
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    finally:
        os.close(descriptor)


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Be the only process that writes a folder, which is made if it is missing.

    Raises:
        OutputError: If another process is writing it, or it cannot be made.
    """
    with naming_output(folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    try:
        if not holds_lock(descriptor):
            raise being_written(folder)
        yield
    finally:
        os.close(descriptor)


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


def write_tensors(path: Path, tensors: "Mapping[str, Tensor]") -> None:
    """Write tensors under a temporary name and rename the file.

    Raises:
        OutputError: If they cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with naming_output(path), atomic_path(path) as temporary:
        try:
            # safetensors keeps its files to their owner; others may read what they may read of us
            temporary.touch()
            mode = temporary.stat().st_mode
            save_file(dict(tensors), temporary, metadata={"format": "pt"})
            temporary.chmod(mode)
        except SafetensorError as error:  # its own name for what the operating system said
            raise OutputError(f"{path} cannot be written: {error}.") from error
