"""XML read in chunks, with the byte position of every element.

What is between and around the elements that a format knows is never taken apart, so that a writer
can copy it as it is. Entities that a document declares itself are refused, and nothing that it
refers to is loaded.
"""

import codecs
import re
from collections.abc import Callable, Container, Iterator
from typing import BinaryIO
from xml.parsers import expat

from headwise.data.documents.xml_pieces import Closed, Element, Opened, Passed, Piece, XmlUnit
from headwise.errors import DataError

_CHUNK_BYTES = 2**17
# Longer ones would have to be held in memory as a whole, or read again and again
_MOST_TAG_BYTES, _MOST_UNIT_BYTES = 2**22, 2**26
_MOST_LEVELS = 256
_TAG_BYTES = re.compile(rb"""[^>"']*+(?:"[^"]*+"[^>"']*+|'[^']*+'[^>"']*+)*+>""")
_WIDE = (
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)


class XmlStream:
    """The pieces of one document, in order.

    Attributes:
        codec: How the document is encoded; known with the first piece.

    Args:
        stream: Not read yet.
        name: What errors call it.
        units: Gives the names of units, from the root's name and attributes.
    """

    def __init__(
        self, stream: BinaryIO, name: str, units: Callable[[Opened], Container[str]]
    ) -> None:
        self.codec = "utf-8"
        self._stream, self._name, self._units = stream, name, units
        self._unit_names: Container[str] | None = None
        self._ready: list[Opened | Closed | XmlUnit] = []
        self._levels, self._start = 0, 0
        # The open unit's elements that have not ended; and starts and ends of all, as they were met
        self._open: list[Element] = []
        self._met: list[tuple[Element, bool]] = []
        self._buffer, self._base, self._fed = bytearray(), 0, 0
        self._parser = self._new_parser()

    def pieces(self) -> Iterator[Piece]:
        """Read on.

        Raises:
            DataError: If the document is damaged, with line and column; or is refused.
        """
        while True:
            # The first one has a mark of the encoding in it
            chunk = self._stream.read(_CHUNK_BYTES if self._fed else max(_CHUNK_BYTES, 4))
            if not self._fed:
                self.codec = next((c for mark, c in _WIDE if chunk.startswith(mark)), "utf-8")
            self._buffer += chunk
            self._fed += len(chunk)
            self._parse(chunk)
            yield from self._ready
            self._ready.clear()
            passed = self._passed() if chunk else self._fed
            yield Passed(passed)
            del self._buffer[: passed - self._base]
            self._base = passed
            if not chunk:
                return

    def check(self) -> None:
        """Read all of it, and name nothing.

        Raises:
            DataError: As of :meth:`pieces`.
        """
        self._parser.StartElementHandler = self._parser.EndElementHandler = None
        while chunk := self._stream.read(_CHUNK_BYTES):
            self._fed += len(chunk)
            self._parse(chunk)
            self._base = self._passed()
        self._parse(b"")

    def raw(self, start: int, end: int) -> bytes:
        """Bytes of the document that have not been passed."""
        return bytes(self._buffer[start - self._base : end - self._base])

    def tag(self, opened: Opened) -> bytes:
        """The start tag of an element that is no unit, as it is written."""
        return self.raw(opened.start, self._after_tag(opened.start))

    def encoded(self, text: str) -> bytes:
        """A text in the document's encoding; what that lacks becomes character references."""
        return text.encode(self.codec, "xmlcharrefreplace")

    def _new_parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.XmlDeclHandler = self._declared
        parser.StartElementHandler = self._started
        parser.EndElementHandler = self._ended
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.ExternalEntityRefHandler = self._entity
        parser.SkippedEntityHandler = self._unknown_entity
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        return parser

    def _parse(self, chunk: bytes) -> None:
        try:
            self._parser.Parse(chunk, not chunk)
        except DataError:
            raise
        except expat.ExpatError as error:
            raise DataError(
                f"`{self._name}` is damaged at line {error.lineno}, column {error.offset + 1}: "
                f"{expat.ErrorString(error.code)}. Export it anew, or repair it there."
            ) from None
        except (LookupError, ValueError) as error:  # what Python cannot decode is such
            raise DataError(
                f"`{self._name}` cannot be read in the encoding that it declares ({error}); save "
                "it as UTF-8."
            ) from None

    def _passed(self) -> int:
        # Unknown, which is -1, while expat waits for more of a tag
        place = max(self._parser.CurrentByteIndex, self._base)
        if self._fed - place > _MOST_TAG_BYTES:
            raise self._refused(f"a tag or comment is longer than {_MOST_TAG_BYTES:,} bytes", "")
        if not self._open:
            return place
        start = self._start
        if self._fed - start > _MOST_UNIT_BYTES:
            raise self._refused(f"a unit is longer than {_MOST_UNIT_BYTES:,} bytes", "")
        return start

    def _declared(self, _: str, encoding: str | None, __: int) -> None:
        if encoding is not None and not self.codec.startswith("utf-16"):
            self.codec = codecs.lookup(encoding).name

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        place = self._parser.CurrentByteIndex
        self._levels += 1
        if self._levels > _MOST_LEVELS:
            raise self._too_deep()
        opened = Opened(name, attributes, place)
        if self._unit_names is None:
            self._unit_names = self._units(opened)
        if name not in self._unit_names:
            self._ready.append(opened)
            return
        element = Element(name, attributes, 0)
        self._start, self._open, self._met = place, [element], [(element, False)]
        self._parser.StartElementHandler = self._started_inside
        self._parser.EndElementHandler = self._ended_inside

    def _started_inside(self, name: str, attributes: dict[str, str]) -> None:
        element = Element(name, attributes, self._parser.CurrentByteIndex - self._start)
        around = self._open
        around[-1].children.append(element)
        around.append(element)
        self._met.append((element, False))
        if len(around) + self._levels > _MOST_LEVELS + 1:  # the unit is in both
            raise self._too_deep()

    def _ended(self, name: str) -> None:
        self._levels -= 1
        self._ready.append(Closed(name))

    def _ended_inside(self, _: str) -> None:
        element = self._open.pop()
        element.close = self._parser.CurrentByteIndex - self._start
        self._met.append((element, True))
        if not self._open:
            self._levels -= 1
            self._ready.append(self._unit(element))
            self._parser.StartElementHandler = self._started
            self._parser.EndElementHandler = self._ended

    def _unit(self, element: Element) -> XmlUnit:
        start, close = self._start, self._start + element.close
        end = close
        if element.children or self._after_tag(start) != close:
            end = self._after_tag(close)
        raw = self.raw(start, end)
        text = raw.decode(self.codec)
        if len(text) != len(raw):
            self._count_characters(raw, len(text))
        return XmlUnit(element, text, raw, start, end)

    def _count_characters(self, raw: bytes, characters: int) -> None:
        """Turn the places of a unit's elements into characters of its text."""
        width, codec, done, count = self._width, self.codec, 0, 0
        even = characters * width == len(raw)
        for element, closes in self._met:
            place = element.close if closes else element.start
            if even:
                count = place // width
            elif place > done:
                count += len(raw[done:place].decode(codec))
                done = place
            if closes:
                element.close = count
            else:
                element.start = count

    def _after_tag(self, start: int) -> int:
        """The byte behind the tag that begins at one; a `>` in a value does not end it."""
        place = start - self._base
        if self._width == 1:
            found = _TAG_BYTES.match(self._buffer, place)
            assert found is not None
            return found.end() + self._base
        quote = ""
        while place < len(self._buffer):
            sign = self._buffer[place : place + 2].decode(self.codec, "replace")
            place += 2
            if quote:
                quote = "" if sign == quote else quote
            elif sign in ('"', "'"):
                quote = sign
            elif sign == ">":
                break
        return place + self._base

    @property
    def _width(self) -> int:
        return 2 if self.codec.startswith("utf-16") else 1

    def _doctype(self, _: str, __: str | None, ___: str | None, internal: int) -> None:
        if internal:
            raise self._refused("its DOCTYPE declares something", "Remove what stands in [ ].")

    def _entity(self, *_: object) -> int:
        raise self._refused("it declares an entity", "Remove the declaration.")

    def _unknown_entity(self, name: str, _: int) -> None:
        raise self._refused(
            f"`&{name};` is not declared", "Write the character that it stands for."
        )

    def _too_deep(self) -> DataError:
        return self._refused(f"elements are nested more than {_MOST_LEVELS} levels deep", "")

    def _refused(self, what: str, remedy: str) -> DataError:
        line = self._parser.CurrentLineNumber
        column = self._parser.CurrentColumnNumber + 1
        return DataError(
            f"`{self._name}` is refused at line {line}, column {column}: {what}, which documents "
            f"of translators have no need of. {remedy or 'Export it anew.'}"
        )
