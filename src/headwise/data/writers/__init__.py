"""Writers of results and rejects: whole JSON lines, and tables made of such lines.

Which rows there are, and when a job is done, is not decided here.
"""

from headwise.data.writers.lines import LineFile, LineStream, LineWriter
from headwise.data.writers.parquet import write_parquet
from headwise.data.writers.rows import (
    RESERVED_NAMES,
    beside_reserved,
    input_column,
    json_line,
    pair_row,
    reject_row,
    scored_row,
)
from headwise.data.writers.spreadsheets import write_csv, write_xlsx
from headwise.data.writers.table import CellKind, TableColumns, TableLayout
from headwise.data.writers.tsv import escape_cell, unescape_cell, write_tsv

__all__ = [
    "RESERVED_NAMES",
    "CellKind",
    "LineFile",
    "LineStream",
    "LineWriter",
    "TableColumns",
    "TableLayout",
    "beside_reserved",
    "escape_cell",
    "input_column",
    "json_line",
    "pair_row",
    "reject_row",
    "scored_row",
    "unescape_cell",
    "write_csv",
    "write_parquet",
    "write_tsv",
    "write_xlsx",
]
