"""Claims, and sources if each has its own, from tables of any format."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from headwise.data.readers.column_names import Role, knows_any
from headwise.data.readers.layout import Format
from headwise.data.readers.rows import Columns, Row, records, with_notice
from headwise.data.readers.tables import check_input, open_table
from headwise.data.records.claims import ClaimRow
from headwise.data.records.pairs import Reject
from headwise.errors import DataError

_CLAIM = Role(
    "claim",
    (("claim",), ("statement", "assertion"), ("hypothesis",)),
    others=("sentence", "text"),
    last=(("behauptung", "aussage", "affirmation", "afirmación", "affermazione"),),
)
_SOURCE = Role(
    "source",
    (("source",), ("document", "context"), ("premise",)),
    others=("article", "evidence", "passage"),
    last=(("quelle", "quelltext", "fuente", "fonte"),),
    otherwise=", or give one source for all claims",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimLayout:
    """What a reader is told about a file; what is ``None`` is found out.

    Attributes:
        claim_column: By default ``claim``, else ``statement`` or ``assertion``, else
            ``hypothesis``, in any case.
        source_column: By default ``source``, else ``document`` or ``context``, else ``premise``.
        has_source: Whether every claim has its own source. Otherwise a source column, if there is
            one, is handed through like any other.
        header: Whether the first row of a table names the columns; by default it does if a known
            name stands in it.
        encoding: The encoding of text; by default UTF-8, or UTF-16 if it is that.
        quotes: Whether quotation marks around cells belong to the format; by default those of CSV
            do, and those of TSV that looks so.
    """

    claim_column: str | None = None
    source_column: str | None = None
    has_source: bool = True
    format: Format | None = None
    header: bool | None = None
    encoding: str | None = None
    quotes: bool | None = None


_DEFAULT_LAYOUT = ClaimLayout()


def read_claims(
    path: str | Path, layout: ClaimLayout = _DEFAULT_LAYOUT
) -> Iterator[ClaimRow | Reject]:
    """Read claims, lazily and in order.

    Args:
        path: A TSV, CSV, JSONL, Parquet or XLSX file (the text formats also with ``.gz``), a folder
            that ``datasets`` saved, or ``-`` for standard input. A table without a header holds
            source and claim, or where claims have no source of their own, the claim alone.
        layout: Format and columns, as far as they should not be found out.

    Raises:
        DataError: If the file is missing, damaged, of an unknown format or lacks a column. What
            only reading can show is raised while iterating.
    """
    check_input(path, layout.format)
    return _read(path, layout)


def _read(path: str | Path, layout: ClaimLayout) -> Iterator[ClaimRow | Reject]:
    naming = partial(_name_columns, path=path, layout=layout)
    with open_table(
        path, layout.format, naming=naming, encoding=layout.encoding, quotes=layout.quotes
    ) as table:
        if layout.header is None and not table.named:
            table = with_notice(table)
        columns = table.find(lambda present, _: _find(present, layout))
        yield from records(table.rows, lambda row: _claim(row, columns(row)))


def _find(present: Sequence[str], layout: ClaimLayout) -> Columns:
    source = _SOURCE.find(present, layout.source_column) if layout.has_source else None
    others = [name for name in present if name != source]
    return Columns(source, _CLAIM.find(others, layout.claim_column))


def _name_columns(
    cells: Sequence[str], *, path: str | Path, layout: ClaimLayout
) -> Sequence[str] | None:
    asked = layout.claim_column or layout.source_column
    if asked or knows_any(cells, _CLAIM, _SOURCE) if layout.header is None else layout.header:
        return None
    names = ("source", "claim") if layout.has_source else ("claim",)
    if len(cells) != len(names):
        needed = "source and claim" if layout.has_source else "the claim alone"
        raise DataError(
            f"`{path}` has no header with known names, and its first row has {len(cells)} "
            f"columns; it needs {needed}, or a header with "
            f"{'; '.join(', '.join(role.names) for role in (_SOURCE, _CLAIM))}."
        )
    return names


def _claim(row: Row, columns: Columns) -> ClaimRow:
    extra = row.values.copy()
    source, claim = columns.texts(extra)
    return ClaimRow(claim, source, row.line, extra)
