"""Translators' documents (XLIFF, TMX, PO): their segments as pairs, and results put back into them.

Bytes that no result changes are copied as they are. What a segment is worth is not decided here.
"""

from headwise.data.documents.reading import (
    DocumentFormat,
    read_document,
    segments_of,
    skipped_in_words,
)
from headwise.data.documents.results import Marking, Results
from headwise.data.documents.segments import (
    DocumentOptions,
    Segment,
    Skipped,
    place_in_document,
)
from headwise.data.documents.writing import write_document

__all__ = [
    "DocumentFormat",
    "DocumentOptions",
    "Marking",
    "Results",
    "Segment",
    "Skipped",
    "place_in_document",
    "read_document",
    "segments_of",
    "skipped_in_words",
    "write_document",
]
