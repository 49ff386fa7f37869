"""Pairs of source and hypothesis from a file, whatever its format and the layout of its columns."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import BinaryIO

from headwise.data.documents import DocumentFormat, read_document
from headwise.data.readers.corpora.mqm import as_cells, gather_segments, is_mqm_header
from headwise.data.readers.corpora.mqm_spans import gather_spans, is_span_header, span_columns
from headwise.data.readers.corpora.paws_x import is_paws_x_header, paws_x_columns
from headwise.data.readers.layout import Layout
from headwise.data.readers.lines import Line, numbered_lines, without_empty
from headwise.data.readers.nested_rows import NestedColumns, find_nested
from headwise.data.readers.opening import (
    STDIN,
    check_readable,
    is_plain_text,
    open_bytes,
    shown_name,
    suffix_format,
)
from headwise.data.readers.rows import Columns, Row, RowStream, records, with_notice
from headwise.data.readers.tables import check_input, open_table
from headwise.data.records.json_values import listed
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

logger = logging.getLogger(__name__)

_SHOWN_CHARACTERS = 40
_DEFAULT_LAYOUT = Layout()


def read_pairs(
    path: str | Path, layout: Layout = _DEFAULT_LAYOUT, *, skipped: Counter[str] | None = None
) -> Iterator[Pair | Reject]:
    """Read the rows of a file, lazily and in order.

    A row holds a source and a hypothesis; where values can be nested (JSONL, Parquet, data sets),
    also texts by language (``translation``), or a conversation (``messages``), of which every
    assistant turn is a hypothesis. There, ``annotations`` are error marks (how many of them are
    of missing text is then ``missing_marks``), and ``word_tags`` are marks of words.
    A table with the header of MQM annotations is read as :func:`read_mqm` does, and one with the
    columns of the QE shared tasks' error spans, with a header or without, as
    :func:`~headwise.data.readers.corpora.mqm_spans.gather_spans` says. PAWS-X is known by its
    columns. What was taken for what is logged, unless the columns are called
    ``source`` and ``hypothesis``. Translators' documents (XLIFF, TMX, PO) are read as
    :func:`~headwise.data.documents.read_document` does.

    Args:
        path: A TSV, CSV, JSONL, Parquet or XLSX file (the text formats also with ``.gz``), a folder
            that ``datasets.Dataset.save_to_disk`` wrote, or ``-`` for TSV, CSV or JSONL from
            standard input.
        layout: Format and columns, as far as they should not be found out.
        skipped: Counts the segments of a document that are left out, by reason.

    Returns:
        For each row a ``Pair``, or a ``Reject`` if it cannot be one. The turns of a conversation
        have the same line.

    Raises:
        DataError: If the file is missing, damaged, of an unknown format or lacks a column. What
            only reading can show is raised while iterating.
    """
    check_input(path, layout.format)
    if (kind := document_format(path, layout)) is not None:
        return read_document(
            path, kind, layout.documents, has_source=layout.has_source, skipped=skipped
        )
    return _read_pairs(path, layout)


def document_format(path: str | Path, layout: Layout = _DEFAULT_LAYOUT) -> DocumentFormat | None:
    """The format of a translators' document, by ``path`` or ``layout``; else ``None``.

    Raises:
        DataError: If it is on standard input, which cannot be read more than once.
    """
    known = layout.format or (None if str(path) == STDIN else suffix_format(path))
    kind = None if known is None or Path(path).is_dir() else known.document
    if kind is not None and str(path) == STDIN:
        raise DataError("A document cannot be read from standard input; save it to a file first.")
    return kind


def _read_pairs(path: str | Path, layout: Layout) -> Iterator[Pair | Reject]:
    with open_pairs(path, layout) as table:
        yield from pairs_of(table, layout)


def open_pairs(
    path: str | Path, layout: Layout = _DEFAULT_LAYOUT
) -> AbstractContextManager[RowStream]:
    """Open a table whose columns are named as :func:`pairs_of` knows them; see `open_table`."""
    name = shown_name(path)
    return open_table(
        path,
        layout.format,
        naming=lambda cells: name_columns(cells, layout, name=name, plain_text=is_plain_text(path)),
        encoding=layout.encoding,
        quotes=layout.quotes,
    )


def name_columns(
    cells: Sequence[str], layout: Layout, *, name: str = "the table", plain_text: bool = False
) -> Sequence[str] | None:
    """Name the columns of a table whose first row does not: source, if wanted, and hypothesis.

    If the columns that hold them are named by numbers, all columns are numbered.

    Raises:
        DataError: If there are more columns than texts, and nothing says which ones hold them.
    """
    if layout.is_header(cells, plain_text=plain_text):
        return None
    if is_paws_x_header(cells) and layout.header is None and not layout.names_columns:
        return None
    spans = span_columns(cells)
    if spans is not None and not layout.names_columns:
        return spans
    if layout.names_columns:
        return [str(number) for number in range(1, len(cells) + 1)]
    columns = ("source", "hypothesis") if layout.has_source else ("hypothesis",)
    if len(cells) > len(columns):
        first = listed(cell[:_SHOWN_CHARACTERS] for cell in cells)
        options = (
            "--source-column and --hypothesis-column"
            if layout.has_source
            else ("--hypothesis-column")
        )
        raise DataError(
            f"`{name}` has {len(cells)} columns, none of which has a name that is known; the first "
            f"row is {first}. Say with {options} which of them to read: by name, or by number "
            "(1, 2, ...) if the first row names none."
        )
    return columns


def pairs_of(table: RowStream, layout: Layout) -> Iterator[Pair | Reject]:
    """Make pairs of the rows of a table.

    Raises:
        DataError: If its header lacks a column, or leaves open which one is meant.
    """
    if not table.named and layout.header is None and not layout.names_columns:
        table = with_notice(table)
    header = table.columns
    say = _Told(table.name)
    if not layout.names_columns:
        first = next(table.rows, None) if table.nested else None
        if first is not None:
            table = replace(table, rows=chain([first], table.rows))
        names = first.values if isinstance(first, Row) else header or ()
        gather = gather_segments if is_mqm_header(names) else gather_spans
        if is_mqm_header(names) or is_span_header(names):
            cells = as_cells(table, first) if isinstance(first, Row) else table
            return gather(cells, has_source=layout.has_source)
    if table.nested:

        def search(names: Sequence[str], languages: Sequence[str] | None) -> NestedColumns:
            found = find_nested(names, layout, languages)
            say(found.texts, layout)
            return found

        nested = table.find(search)
        turns = records(table.rows, lambda row: nested(row).pairs(row))
        return chain.from_iterable([one] if isinstance(one, Reject) else one for one in turns)
    if (
        not table.named and not layout.names_columns
    ):  # all cells are texts, and this is the quickest way to pairs of them
        return (
            row
            if isinstance(row, Reject)
            else Pair(row.values.get("source"), row.values["hypothesis"], row.line, {})
            for row in table.rows
        )
    flat = table.find(lambda names, _: _flat_columns(names, layout))
    if header:
        say(flat(Row(0, {})), layout)

    def pair(row: Row) -> Pair:
        line, extra, _ = row
        source, hypothesis = flat(row).texts(extra)
        return Pair(source, hypothesis, line, extra)

    return records(table.rows, pair)


class _Told:
    """Says which columns are read as what, once for each choice."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._said: set[Columns] = set()

    def __call__(self, columns: Columns | None, layout: Layout) -> None:
        if columns is None or layout.names_columns or columns in self._said:
            return
        self._said.add(columns)
        roles = {"source": columns.source, "hypothesis": columns.hypothesis}
        if any(column not in (None, role) for role, column in roles.items()):
            read = (f"`{column}` as the {role}" for role, column in roles.items() if column)
            logger.info("`%s`: reading %s.", self._name, " and ".join(read))


def _flat_columns(names: Sequence[str], layout: Layout) -> Columns:
    if is_paws_x_header(names) and not layout.names_columns:
        return paws_x_columns(names, layout)
    return layout.columns(names)


def read_mqm(path: str | Path) -> Iterator[Pair | Reject]:
    """Read MQM annotations in any format of tables: one pair a segment, with its error spans.

    Args:
        path: The table, ``.gz`` or not.

    Returns:
        For each segment a ``Pair``, or a ``Reject`` if a row of it cannot be understood;
        :func:`~headwise.data.readers.corpora.mqm.gather_segments` says what they hold.

    Raises:
        DataError: If the file is missing or damaged, or its header is not that of annotations.
    """
    check_input(path)
    return _read_mqm(path)


def _read_mqm(path: str | Path) -> Iterator[Pair | Reject]:
    with open_table(path) as table:
        yield from gather_segments(table)


def read_parallel_text(
    sources: str | Path, hypotheses: str | Path, *, encoding: str | None = None
) -> Iterator[Pair | Reject]:
    """Read two text files whose lines belong together, ``.gz`` or not.

    Args:
        sources: A source a line.
        hypotheses: A hypothesis a line.
        encoding: That of both, if it is neither UTF-8 nor UTF-16.

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
    return _read_parallel_text(sources, hypotheses, encoding)


def _read_parallel_text(
    sources: str | Path, hypotheses: str | Path, encoding: str | None
) -> Iterator[Pair | Reject]:
    with open_bytes(sources, encoding) as left, open_bytes(hypotheses, encoding) as right:
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
