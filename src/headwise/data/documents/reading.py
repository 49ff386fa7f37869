"""Read a translators' document: its segments as pairs; those that are left out are counted."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from headwise.data.documents.po import Po
from headwise.data.documents.po_lines import PoFile
from headwise.data.documents.segments import DocumentOptions, Segment, Skipped, place_in_document
from headwise.data.documents.xml_document import XmlDocument
from headwise.data.documents.xml_pieces import XmlUnit
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError


class DocumentFormat(StrEnum):
    """A format of translators' documents.

    Attributes:
        XLIFF: Version 1.0 to 2.2, and what tools make of 1.2: SDLXLIFF, MXLIFF, MQXLIFF.
        TMX: Translation memories.
        PO: gettext's, and its templates.
    """

    XLIFF = "xliff"
    TMX = "tmx"
    PO = "po"


@contextmanager
def open_document(path: str | Path) -> Iterator[BinaryIO]:
    """Open a document as it is.

    Raises:
        DataError: If it cannot be opened.
    """
    try:
        stream = Path(path).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise DataError(f"`{path}` cannot be opened: {error.strerror}.") from error
    with stream:
        yield stream


def read_document(
    path: str | Path,
    kind: DocumentFormat,
    options: DocumentOptions,
    *,
    has_source: bool = True,
    skipped: Counter[str] | None = None,
) -> Iterator[Pair | Reject]:
    """The segments that are to be scored, lazily and in order; their lines are their numbers.

    Args:
        path: The document.
        kind: Its format.
        options: Which segments are read, and their languages if the document does not say them.
        has_source: Whether pairs have a source.
        skipped: Counts the segments that are left out, by reason.

    Returns:
        For each segment a ``Pair``, whose columns say where it stands, its state and its
        languages, or a ``Reject`` if it cannot be one.

    Raises:
        DataError: If the document is damaged or refused; nothing has been yielded then.
    """
    check_document(path, kind, options)
    number = 0
    for segment in segments_of(path, kind, options):
        if (reason := segment.skipped(options)) is not None:
            if skipped is not None:
                skipped[reason.value] += 1
            continue
        number += 1
        source = segment.source if has_source else None
        pair = Pair(source, segment.target, number, segment.columns(options))
        if segment.fault is None:
            yield pair
        else:
            place = place_in_document(pair.extra)
            yield Reject(number, f"{place}: {segment.fault}", pair.content)


def check_document(path: str | Path, kind: DocumentFormat, options: DocumentOptions) -> None:
    """See that a document in XML is whole, as nothing could be written into it otherwise.

    Raises:
        DataError: If not.
    """
    if kind is not DocumentFormat.PO:
        with open_document(path) as stream:
            XmlDocument(stream, str(path), kind.value, options).stream.check()


def segments_of(
    path: str | Path, kind: DocumentFormat, options: DocumentOptions
) -> Iterator[Segment]:
    """All segments of a document, in order.

    Args:
        path: The document.
        kind: Its format.
        options: Which segments are skipped, and languages that it leaves open.

    Raises:
        DataError: If it is damaged or refused.
    """
    with open_document(path) as stream:
        if kind is DocumentFormat.PO:
            file = PoFile(stream, str(path))
            po = Po(file.codec)
            for entry in file.entries():
                yield from po.segments(entry)
            return
        document = XmlDocument(stream, str(path), kind.value, options)
        for piece in document.pieces():
            if isinstance(piece, XmlUnit):
                yield from document.format.segments(piece)


def skipped_in_words(skipped: dict[str, int]) -> str:
    """How many segments were left out, and why: ``12 skipped: 7 locked, 5 approved``."""
    counts = [(skipped[reason], reason.value) for reason in Skipped if skipped.get(reason)]
    said = ", ".join(f"{count:,} {reason}" for count, reason in counts)
    return f"{sum(count for count, _ in counts):,} skipped: {said}" if counts else ""
