"""Pairs of source and hypothesis from a file, whatever its format and the layout of its columns."""

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import BinaryIO

from headwise.data.readers.corpora.mqm import gather_segments, is_mqm_header
from headwise.data.readers.corpora.paws_x import is_paws_x_header, paws_x_columns
from headwise.data.readers.layout import HYPOTHESIS, SOURCE, Format, Layout, knows_any
from headwise.data.readers.lines import Line, numbered_lines, without_empty
from headwise.data.readers.nested_rows import find_nested
from headwise.data.readers.opening import check_readable, open_bytes
from headwise.data.readers.rows import Columns, Row, RowStream, records
from headwise.data.readers.tables import check_input, open_table
from headwise.data.records.pairs import Pair, Reject

_DEFAULT_LAYOUT = Layout()


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
    check_input(path, layout.format)
    return _read_pairs(path, layout)


def _read_pairs(path: str | Path, layout: Layout) -> Iterator[Pair | Reject]:
    with open_table(path, layout.format, naming=lambda cells: name_columns(cells, layout)) as table:
        yield from pairs_of(table, layout)


def name_columns(cells: Sequence[str], layout: Layout) -> Sequence[str] | None:
    """Name the columns of a TSV file whose first row does not: source, if wanted, and hypothesis.

    Only a header can hold a name that was asked for, so one is there if a column is named.
    """
    named = layout.names_columns or is_paws_x_header(cells) or knows_any(cells, SOURCE, HYPOTHESIS)
    if named if layout.header is None else layout.header:
        return None
    return ("source", "hypothesis") if layout.has_source else ("hypothesis",)


def pairs_of(table: RowStream, layout: Layout) -> Iterator[Pair | Reject]:
    """Make pairs of the rows of a table.

    Raises:
        DataError: If its header lacks a column, or leaves open which one is meant.
    """
    header = table.columns
    if table.nested:
        nested = table.find(lambda names, languages: find_nested(names, layout, languages))
        turns = records(table.rows, lambda row: nested(row).pairs(row))
        return chain.from_iterable([one] if isinstance(one, Reject) else one for one in turns)
    if not table.named:  # all cells are texts, and this is the quickest way to pairs of them
        return (
            row
            if isinstance(row, Reject)
            else Pair(row.values.get("source"), row.values["hypothesis"], row.line)
            for row in table.rows
        )
    if header and is_mqm_header(header) and not layout.names_columns:
        return gather_segments(table, has_source=layout.has_source)
    flat = table.find(lambda names, _: _flat_columns(names, layout))

    def pair(row: Row) -> Pair:
        line, extra, _ = row
        source, hypothesis = flat(row).texts(extra)
        return Pair(source, hypothesis, line, extra)

    return records(table.rows, pair)


def _flat_columns(names: Sequence[str], layout: Layout) -> Columns:
    if is_paws_x_header(names) and not layout.names_columns:
        return paws_x_columns(names, layout)
    return layout.columns(names)


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


def _read_mqm(path: str | Path) -> Iterator[Pair | Reject]:
    with open_table(path, Format.TSV) as table:
        yield from gather_segments(table)


def read_parallel_text(sources: str | Path, hypotheses: str | Path) -> Iterator[Pair | Reject]:
    """Read two text files whose lines belong together, ``.gz`` or not.

    Returns:
        For each line a ``Pair``, or a ``Reject`` if it cannot be one. A line that only one of
        the files has is a ``Reject``, so that a file that was cut, or files that do not belong
        together, cannot go unnoticed. Lines that are empty in both are rejects too, except at
        the end, where they are left out.

    Raises:
        DataError: If a file is missing or damaged.
    """
    check_readable(sources)
    check_readable(hypotheses)
    return _read_parallel_text(sources, hypotheses)


def _read_parallel_text(sources: str | Path, hypotheses: str | Path) -> Iterator[Pair | Reject]:
    with open_bytes(sources) as left, open_bytes(hypotheses) as right:
        yield from pair_lines(left, right, names=(str(sources), str(hypotheses)))


def pair_lines(
    sources: BinaryIO, hypotheses: BinaryIO, *, names: tuple[str, str]
) -> Iterator[Pair | Reject]:
    """Pair lines of two streams, as :func:`read_parallel_text` says; errors call them ``names``."""
    rows = zip_longest(numbered_lines(sources, names[0]), numbered_lines(hypotheses, names[1]))
    numbered = enumerate(rows, start=1)
    pairs = ((number, _pair_lines(*row, number, names)) for number, row in numbered)
    for _, pair in without_empty(pairs):
        assert not isinstance(pair, str)
        yield pair


def _pair_lines(
    left: Line | None, right: Line | None, number: int, names: tuple[str, str]
) -> Pair | Reject | str:
    if not (left and left[1]) and not (right and right[1]):
        return ""
    texts, reasons = [], []
    for line, name in zip((left, right), names, strict=True):
        text = "" if line is None else line[1]
        if line is None:
            reasons.append(f"`{name}` has no line {number}; both files need the same lines.")
        elif isinstance(text, Reject):
            reasons.append(f"`{name}`: {text.reason}")
        texts.append(text.content if isinstance(text, Reject) else text)
    if reasons:
        return Reject(number, " ".join(reasons), "\t".join(texts))
    source, hypothesis = texts
    return Pair(source, hypothesis, number)
