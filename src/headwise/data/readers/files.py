"""Open what a user names, and hand it to the reader of its format."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, assert_never, cast

from headwise.data.readers.arrow import check_saved_dataset, read_parquet, read_saved_dataset
from headwise.data.readers.corpora.mqm import read_mqm_stream
from headwise.data.readers.jsonl import read_jsonl
from headwise.data.readers.layout import Format, Layout
from headwise.data.readers.opening import (
    _DEFAULT_LAYOUT,
    STDIN,
    _peek_format,
    check_readable,
    open_bytes,
    resolve_format,
)
from headwise.data.readers.parallel_text import pair_lines
from headwise.data.readers.tsv import read_tsv
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError


def read_pairs(path: str | Path, layout: Layout = _DEFAULT_LAYOUT) -> Iterator[Pair | Reject]:
    """Read the rows of a file, lazily and in order.

    A row holds a source and a hypothesis; where values can be nested (JSONL, Parquet, data sets),
    also texts by language (``translation``), or a conversation (``messages``), of which every
    assistant turn is a hypothesis. There, ``annotations`` are error marks (how many of them are
    of missing text is then ``missing_marks``), and ``word_tags`` are marks of words.
    A TSV file with the header of MQM annotations is read as :func:`read_mqm` does. PAWS-X is
    known by its columns.

    Args:
        path: A TSV, JSONL or Parquet file (the text formats also with ``.gz``), a folder that
            ``datasets.Dataset.save_to_disk`` wrote, or ``-`` for TSV or JSONL from standard input.
        layout: Format and columns, as far as they should not be found out.

    Returns:
        For each row a ``Pair``, or a ``Reject`` if it cannot be one. The turns of a conversation
        have the same line.

    Raises:
        DataError: If the file is missing, damaged, of an unknown format or lacks a column. What
            only reading can show is raised while iterating.
    """
    if str(path) == STDIN:
        return _read_stdin(layout)
    if Path(path).is_dir():
        check_saved_dataset(Path(path))
        return read_saved_dataset(Path(path), layout)
    check_readable(path)
    return _read(path, layout, resolve_format(path, layout))


def read_mqm(path: str | Path) -> Iterator[Pair | Reject]:
    """Read MQM annotations, TSV or ``.gz`` of it: one pair a segment, with its error spans.

    Returns:
        For each segment a ``Pair``, or a ``Reject`` if a row of it cannot be understood;
        :func:`~headwise.data.readers.corpora.mqm.gather_segments` says what they hold.

    Raises:
        DataError: If the file is missing or damaged, or its header is not that of annotations.
    """
    check_readable(path)
    return _read_mqm(path)


def read_parallel_text(sources: str | Path, hypotheses: str | Path) -> Iterator[Pair | Reject]:
    """Read two text files whose lines belong together, ``.gz`` or not.

    Returns:
        For each line a ``Pair``, or a ``Reject`` if it cannot be one; a line that only one of the
        files has is a ``Reject``.

    Raises:
        DataError: If a file is missing or damaged.
    """
    check_readable(sources)
    check_readable(hypotheses)
    return _read_parallel_text(sources, hypotheses)


def _read(path: str | Path, layout: Layout, format_: Format) -> Iterator[Pair | Reject]:
    if format_ is Format.PARQUET:
        yield from read_parquet(Path(path), layout)
        return
    with open_bytes(path) as stream:
        yield from _read_stream(stream, str(path), layout, format_)


def _read_stdin(layout: Layout) -> Iterator[Pair | Reject]:
    stdin = cast(BufferedReader, sys.stdin.buffer)
    yield from _read_stream(stdin, "standard input", layout, _peek_format(stdin, layout))


def _read_stream(
    stream: BinaryIO, name: str, layout: Layout, format_: Format
) -> Iterator[Pair | Reject]:
    match format_:
        case Format.TSV:
            return read_tsv(stream, name, layout)
        case Format.JSONL:
            return read_jsonl(stream, name, layout)
        case Format.PARQUET:
            raise DataError(f"Parquet cannot be read from {name}; save it to a file first.")
        case _:
            assert_never(format_)


def _read_mqm(path: str | Path) -> Iterator[Pair | Reject]:
    with open_bytes(path) as stream:
        yield from read_mqm_stream(stream, str(path))


def _read_parallel_text(sources: str | Path, hypotheses: str | Path) -> Iterator[Pair | Reject]:
    with ExitStack() as stack:
        left = stack.enter_context(open_bytes(sources))
        right = stack.enter_context(open_bytes(hypotheses))
        yield from pair_lines(left, right, names=(str(sources), str(hypotheses)))
