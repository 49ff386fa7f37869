"""Readers of pairs, one file a format or shape of rows: each yields ``Pair`` or ``Reject``.

Nothing here judges a text: whether it is empty or can be tokenised is for the estimator to say.
"""

from headwise.data.readers.files import (
    STDIN,
    read_mqm,
    read_pairs,
    read_parallel_text,
    resolve_format,
)
from headwise.data.readers.layout import Format, Layout
from headwise.data.readers.scored import read_scored

__all__ = [
    "STDIN",
    "Format",
    "Layout",
    "read_mqm",
    "read_pairs",
    "read_parallel_text",
    "read_scored",
    "resolve_format",
]
