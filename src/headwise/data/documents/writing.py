"""Write a translators' document with results: the input read once more, and copied around them."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from headwise.data.documents.po import Po
from headwise.data.documents.po_lines import PoFile
from headwise.data.documents.reading import DocumentFormat, open_document
from headwise.data.documents.results import Marking, Results, SegmentResult
from headwise.data.documents.segments import DocumentOptions, Segment
from headwise.data.documents.tags import spliced
from headwise.data.documents.xml_document import XmlDocument
from headwise.data.documents.xml_pieces import Opened, Passed
from headwise.errors import DataError
from headwise.files import atomic_path


def write_document(
    path: str | Path,
    kind: DocumentFormat,
    output: Path,
    results: Results,
    *,
    options: DocumentOptions,
    marking: Marking,
) -> None:
    """Copy a document, with results where its format has a place for them.

    All else is the same, byte for byte; what an earlier run wrote is replaced.

    Args:
        path: The document.
        kind: Its format.
        output: Written under a temporary name and renamed.
        results: Of the segments that reading it with the same options yields.
        options: Those.
        marking: How results are written.

    Raises:
        DataError: If the document is damaged.
        OutputError: If results are those of another document.
    """
    with (
        open_document(path) as stream,
        atomic_path(output) as temporary,
        temporary.open("wb") as written,
    ):
        if kind is DocumentFormat.PO:
            file = PoFile(stream, str(path))
            po = Po(file.codec)
            for entry in file.entries():
                found = _scored(po.segments(entry), results, options)
                written.writelines(po.lines(entry, found, marking))
        else:
            document = XmlDocument(stream, str(path), kind.value, options, sources=False)
            _write_xml(document, written, results, options, marking)


def _write_xml(
    document: XmlDocument,
    written: BinaryIO,
    results: Results,
    options: DocumentOptions,
    marking: Marking,
) -> None:
    stream, done, is_root = document.stream, 0, True
    for piece in document.pieces():
        if isinstance(piece, Passed):
            written.write(stream.raw(done, piece.end))
            done = piece.end
            continue
        if isinstance(piece, Opened):
            if not is_root:
                continue
            is_root = False
            raw = stream.tag(piece)
            text, start, end = raw.decode(stream.codec), piece.start, piece.start + len(raw)
            edits = [] if results.is_empty else document.format.root_edits(text)
        else:
            found = _scored(document.format.segments(piece), results, options)
            text, raw, start, end = piece.text, piece.raw, piece.start, piece.end
            edits = document.format.edits(piece, found, marking)
        if not edits:
            continue
        if text.encode(stream.codec) != raw:
            raise DataError(
                f"The document is written in {stream.codec} in a way that cannot be kept as it "
                "is; save it as UTF-8."
            )
        written.write(stream.raw(done, start))
        written.write(stream.encoded(spliced(text, edits)))
        done = end


def _scored(
    segments: Iterable[Segment], results: Results, options: DocumentOptions
) -> list[tuple[Segment, SegmentResult]]:
    """The segments that have a result, with it."""
    found = []
    for segment in segments:
        if segment.skipped(options) is None and (result := results.take(segment)) is not None:
            found.append((segment, result))
    return found
