"""Texts on their own: lines of a text file, a column of a table, or a whole file."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from headwise.data.readers.layout import Layout
from headwise.data.readers.lines import numbered_lines, without_empty
from headwise.data.readers.opening import (
    STDIN,
    check_readable,
    open_bytes,
    shown_name,
    suffix_format,
)
from headwise.data.readers.pairs import read_pairs
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

_DEFAULT_LAYOUT = Layout()


def read_texts(
    path: str | Path, *, column: str | None = None, layout: Layout = _DEFAULT_LAYOUT
) -> Iterator[Pair | Reject]:
    """Read texts, as pairs without a source, lazily and in order.

    Args:
        path: A text file with a text a line (also with ``.gz``), or a TSV, CSV, XLSX, JSONL or
            Parquet file or a folder that ``datasets`` saved, of which one column is read; ``-`` for
            standard input.
        column: The column; ``None`` for lines of text.
        layout: Format, encoding, header and quotation marks of the file.

    Raises:
        DataError: If the file is missing or damaged, lacks the column, or has columns and none
            is named.
    """
    if column is not None:
        texts = replace(layout, source_column=None, hypothesis_column=column, has_source=False)
        return read_pairs(path, texts)
    if str(path) != STDIN:
        if has_columns(path):
            raise DataError(
                f"`{path}` has columns; name the one that holds the texts with --column."
            )
        check_readable(path)
    return _read_lines(path, layout.encoding)


def has_columns(path: str | Path) -> bool:
    """Whether a path is called like a table, or is a folder, and not like lines of text."""
    if str(path) == STDIN:
        return False
    # A name that says nothing is one of a text
    is_text = suffix_format(path) is None or ".txt" in Path(str(path).lower()).suffixes
    return Path(path).is_dir() or not is_text


def read_whole_text(path: str | Path) -> str:
    """Read one text from a file in UTF-8 (also with ``.gz``), or ``-`` for standard input.

    Raises:
        DataError: If it is missing or damaged, or is not UTF-8.
    """
    if str(path) != STDIN:
        check_readable(path)
    name = shown_name(path)
    try:
        with open_bytes(path) as stream:
            return stream.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"Byte 0x{error.object[error.start]:02x} at position {error.start + 1} of `{name}` is "
            "not UTF-8; save the text as UTF-8."
        ) from error
    except (OSError, EOFError) as error:
        raise DataError(f"`{name}` cannot be read: {error}.") from error


def _read_lines(path: str | Path, encoding: str | None) -> Iterator[Pair | Reject]:
    with open_bytes(path, encoding) as stream:
        for number, line in without_empty(numbered_lines(stream, shown_name(path))):
            yield line if isinstance(line, Reject) else Pair(None, line, number)
