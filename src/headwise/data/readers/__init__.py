"""Readers, one file a kind of record: pairs, inferences, scored rows, tags, numbers, texts, routes.

``rows`` reads every format, and is the only file that knows one; readers of records map its rows.
Those of pairs yield ``Pair`` or ``Reject``, row by row.

Nothing here judges a text: whether it is empty or can be tokenised is for the estimator to say.
"""

from headwise.data.readers.corpora.mlqe_pe import read_mlqe_pe
from headwise.data.readers.layout import Format, Layout
from headwise.data.readers.numbers import join_numbers, read_numbers
from headwise.data.readers.opening import STDIN, resolve_format
from headwise.data.readers.pairs import (
    document_format,
    read_mqm,
    read_pairs,
    read_parallel_text,
)
from headwise.data.readers.scored import ScoredRow, is_scored, read_scored, read_scored_rows
from headwise.data.readers.word_tags import read_tags
from headwise.data.records.tagged_words import align_words

__all__ = [
    "STDIN",
    "Format",
    "Layout",
    "ScoredRow",
    "align_words",
    "document_format",
    "is_scored",
    "join_numbers",
    "read_mlqe_pe",
    "read_mqm",
    "read_numbers",
    "read_pairs",
    "read_parallel_text",
    "read_scored",
    "read_scored_rows",
    "read_tags",
    "resolve_format",
]
