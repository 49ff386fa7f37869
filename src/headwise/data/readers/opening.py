"""Open what a user names: a file, packed or not, or standard input."""

import gzip
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from headwise.data.readers.encodings import as_utf8
from headwise.data.readers.layout import Format
from headwise.errors import DataError

STDIN = "-"
"""The name that stands for standard input."""

_SUFFIXES = {
    ".tsv": Format.TSV,
    ".tab": Format.TSV,
    ".txt": Format.TSV,
    ".csv": Format.CSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".json": Format.JSON,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
    ".xlsx": Format.XLSX,
    ".xlsm": Format.XLSX,
    **dict.fromkeys((".xlf", ".xliff", ".sdlxliff", ".mxliff", ".mqxliff"), Format.XLIFF),
    ".tmx": Format.TMX,
    ".po": Format.PO,
    ".pot": Format.PO,
}
# These are packed inside and cannot be read from the front, or are read more than once
_PACKED = (Format.PARQUET, Format.XLSX, Format.XLIFF, Format.TMX, Format.PO)
_SAVE = "save it as .xlsx or .csv"
_UNPACK = "unpack it, or pack it with gzip"
# What to do about files that people have and nothing here reads
_REMEDIES = {
    **dict.fromkeys((".xls", ".xlsb", ".ods", ".numbers"), _SAVE),
    **dict.fromkeys((".zst", ".bz2", ".xz", ".zip", ".7z", ".tar", ".tgz"), _UNPACK),
    **dict.fromkeys((".doc", ".docx", ".odt", ".pdf"), "put its texts into a table"),
}


def suffix_format(path: str | Path) -> Format | None:
    """The format that the suffix of a file says, if it says one."""
    known = _inner_format(path)
    return None if known in _PACKED and _is_gzip(path) else known


def _is_gzip(path: str | Path) -> bool:
    return Path(path).suffix.lower() == ".gz"


def _inner_format(path: str | Path) -> Format | None:
    """What a file is, packed or not, as its name says it."""
    return _SUFFIXES.get(Path(Path(path).name.lower().removesuffix(".gz")).suffix)


def is_plain_text(path: str | Path) -> bool:
    """Whether a file is called ``.txt``, packed or not."""
    return Path(str(path).lower().removesuffix(".gz")).suffix == ".txt"


def resolve_format(path: str | Path, chosen: Format | None = None) -> Format:
    """The format of a file: the one that was chosen, else the one that the suffix says.

    Args:
        path: The file; ``-`` is standard input.
        chosen: A format; ``None`` leaves it to the suffix.

    Raises:
        DataError: If neither says it.
    """
    found = chosen or _inner_format(path)
    if found in _PACKED and _is_gzip(path):
        raise DataError(f"`{path}`: files of the format {found} are read unpacked; gunzip it.")
    if found is None:
        suffix = Path(path).suffix.lower()
        if suffix in _REMEDIES:
            remedy = _REMEDIES[suffix]
            raise DataError(f"`{path}`: files that end in {suffix} cannot be read; {remedy}.")
        raise DataError(
            f"The format of `{path}` is not known from its name; name it {', '.join(_SUFFIXES)} "
            "(text formats also with .gz), or set --input-format to one of "
            f"{', '.join(Format)}."
        )
    return found


def peek_format(stream: BinaryIO) -> Format:
    """Guess the format of standard input: a brace begins JSONL, or JSON if a bracket is before."""
    start = cast(BufferedReader, stream).peek(64).lstrip(b"\xef\xbb\xbf")
    if re.match(rb"\[\s*\{", start):
        return Format.JSON
    return Format.JSONL if start.startswith(b"{") else Format.TSV


def begins_array(stream: BinaryIO) -> bool:
    """Whether a text begins with a bracket, as a JSON array does."""
    start = cast(BufferedReader, stream).peek(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"[")


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


@contextmanager
def open_bytes(path: str | Path, encoding: str | None = None) -> Iterator[BinaryIO]:
    """Open a text for reading as UTF-8, unpacked if its name ends in ``.gz``; ``-`` is stdin.

    Args:
        path: The file.
        encoding: That of the text, if it is neither UTF-8 nor UTF-16.

    Raises:
        DataError: If it cannot be opened, or is no text; as of
            :func:`~headwise.data.readers.encodings.as_utf8` otherwise.
    """
    name = shown_name(path)
    with _opened(path) as stream:
        try:
            text = as_utf8(stream, name, encoding)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"`{name}` cannot be read past line 0: {error}.") from error
        yield text


def _opened(path: str | Path) -> AbstractContextManager[BinaryIO]:
    if str(path) == STDIN:
        return nullcontext(sys.stdin.buffer)  # not ours to close
    try:
        if Path(path).suffix.lower() == ".gz":
            return cast(AbstractContextManager[BinaryIO], gzip.open(path, "rb"))
        return Path(path).open("rb")
    except OSError as error:
        raise DataError(f"`{path}` cannot be opened: {error.strerror}.") from error
