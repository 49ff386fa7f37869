"""A document in XML: the format that its root names, and its units in order."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

from headwise.data.documents.its import ITSNames
from headwise.data.documents.results import Marking, SegmentResult
from headwise.data.documents.segments import DocumentOptions, Segment
from headwise.data.documents.tags import Splice, tag_prefix
from headwise.data.documents.tmx import Tmx
from headwise.data.documents.xliff2 import Xliff2
from headwise.data.documents.xliff12 import Xliff12
from headwise.data.documents.xml_pieces import Closed, Opened, Passed, XmlUnit
from headwise.data.documents.xml_stream import XmlStream
from headwise.errors import DataError

# The only version of XLIFF 2 that does not know the ITS module
_WITHOUT_ITS = "2.0"


class XmlFormat(Protocol):
    """What is known of one format of documents in XML."""

    @property
    def units(self) -> frozenset[str]:
        """Names of the elements that hold segments."""

    def enter(self, opened: Opened) -> None:
        """Take note of the start tag of an element that is no unit."""

    def leave(self, closed: Closed) -> None:
        """Take note of its end."""

    def root_edits(self, tag: str) -> list[Splice]:
        """What a scored document says in its root's tag."""

    def segments(self, unit: XmlUnit) -> Iterator[Segment]:
        """The segments of a unit."""

    def edits(
        self, unit: XmlUnit, results: Sequence[tuple[Segment, SegmentResult]], marking: Marking
    ) -> list[Splice]:
        """What results change in the text of a unit."""


class XmlDocument:
    """A document that is read once.

    Attributes:
        stream: Its pieces as bytes.
        format: What is known of its format; set with the first piece.

    Args:
        stream: Not read yet.
        name: What errors call it.
        root: The root that it must have.
        options: What a reader is told.
        sources: Whether segments get their sources, which a writer has no need of.
    """

    format: XmlFormat

    def __init__(
        self,
        stream: BinaryIO,
        name: str,
        root: str,
        options: DocumentOptions,
        *,
        sources: bool = True,
    ) -> None:
        self._sources = sources
        self.stream = XmlStream(stream, name, self._units)
        self._name, self._root, self._options = name, root, options

    def pieces(self) -> Iterator[XmlUnit | Opened | Passed]:
        """The pieces in order; the first one is the root's tag."""
        for piece in self.stream.pieces():
            if isinstance(piece, Closed):
                self.format.leave(piece)
                continue
            if isinstance(piece, Opened):
                self.format.enter(piece)
            yield piece

    def _units(self, root: Opened) -> frozenset[str]:
        namespace, _, name = root.name.rpartition(" ")
        if name != self._root:
            raise DataError(
                f"`{self._name}` must begin with <{self._root}>, got <{name}>; give a file that is "
                f"{self._root.upper()}, or set --input-format."
            )
        self.format = self._format(root, f"{namespace} " if namespace else "")
        return self.format.units

    def _format(self, root: Opened, core: str) -> XmlFormat:
        if self._root == "tmx":
            return Tmx(self._name, self._options, self._sources)
        tag = self.stream.tag(root).decode(self.stream.codec)
        version = root.attributes.get("version", "")
        its, prefix, sources = ITSNames.of(tag), tag_prefix(tag), self._sources
        if version.startswith("1."):
            return Xliff12(core=core, its=its, prefix=prefix, sources=sources)
        if version.startswith("2."):
            has_its = version != _WITHOUT_ITS
            return Xliff2(core=core, its=its, prefix=prefix, sources=sources, has_its=has_its)
        raise DataError(
            f"`{self._name}` must be XLIFF 1.0 to 1.2 or 2.0 to 2.2, and its version is "
            f"{version!r}."
        )
