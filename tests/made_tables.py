"""Pairs from the bytes of a table, without a file."""

from collections.abc import Iterator
from typing import BinaryIO

from headwise.data.readers import Layout
from headwise.data.readers.cells.tables import tsv_table
from headwise.data.readers.pairs import name_columns, pairs_of
from headwise.data.readers.tables import jsonl_table
from headwise.data.records.pairs import Pair, Reject


def read_tsv(stream: BinaryIO, name: str, layout: Layout) -> Iterator[Pair | Reject]:
    return pairs_of(tsv_table(stream, name, lambda cells: name_columns(cells, layout)), layout)


def read_jsonl(stream: BinaryIO, name: str, layout: Layout) -> Iterator[Pair | Reject]:
    return pairs_of(jsonl_table(stream, name), layout)
