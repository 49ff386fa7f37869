"""Open what a user names: a file, packed or not, or standard input."""

import codecs
import gzip
import sys
from contextlib import AbstractContextManager, nullcontext
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from headwise.data.readers.layout import Format
from headwise.errors import DataError

STDIN = "-"

_SUFFIXES = {
    ".tsv": Format.TSV,
    ".tab": Format.TSV,
    ".txt": Format.TSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
}


def suffix_format(path: str | Path) -> Format | None:
    """The format that the suffix of a file says, if it says one."""
    name = Path(path).name.lower()
    known = _SUFFIXES.get(Path(name.removesuffix(".gz")).suffix)
    # Parquet is packed inside, and cannot be read from the front
    return None if known is Format.PARQUET and name.endswith(".gz") else known


def resolve_format(path: str | Path, chosen: Format | None = None) -> Format:
    """The format of a file: the one that was chosen, else the one that the suffix says.

    Raises:
        DataError: If neither says it.
    """
    found = chosen or suffix_format(path)
    if found is None and Path(str(path).lower().removesuffix(".gz")).suffix == ".csv":
        raise DataError(
            f"`{path}`: CSV is not read; save it with tabs, as .tsv. (If it has tabs "
            "already, set `format` to tsv.)"
        )
    if found is None:
        raise DataError(
            f"The format of `{path}` is not known from its name; name it {', '.join(_SUFFIXES)} "
            f"(text formats also with .gz), or set `format` to one of {', '.join(Format)}."
        )
    return found


def peek_format(stream: BufferedReader) -> Format:
    """Guess the format of standard input: what begins with a brace is JSONL."""
    start = stream.peek(len(codecs.BOM_UTF8) + 1).removeprefix(codecs.BOM_UTF8)
    return Format.JSONL if start.startswith(b"{") else Format.TSV


def check_readable(path: str | Path) -> None:
    """Refuse a path that is not there or is a folder.

    Raises:
        DataError: If so.
    """
    if not Path(path).exists():
        raise DataError(f"There is no file `{path}`.")
    if Path(path).is_dir():
        raise DataError(f"`{path}` is a folder; name a file in it.")


def shown_name(path: str | Path) -> str:
    """What an input is called in an error."""
    return "standard input" if str(path) == STDIN else str(path)


def open_bytes(path: str | Path) -> AbstractContextManager[BinaryIO]:
    """Open a file for reading, unpacked if its name ends in ``.gz``; ``-`` is standard input.

    Raises:
        DataError: If it cannot be opened.
    """
    if str(path) == STDIN:
        return nullcontext(sys.stdin.buffer)  # not ours to close
    try:
        if Path(path).suffix.lower() == ".gz":
            return cast(AbstractContextManager[BinaryIO], gzip.open(path, "rb"))
        return Path(path).open("rb")
    except OSError as error:
        raise DataError(f"`{path}` cannot be opened: {error.strerror}.") from error
