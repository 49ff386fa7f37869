"""What a document in XML is made of: units with their elements, and the tags around them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(slots=True, eq=False)
class Element:
    """An element of a unit.

    Attributes:
        name: The local name behind the namespace and a space; without a namespace, the name alone.
        attributes: By names of the same form.
        start: Where its start tag begins, in characters of the unit's text.
        close: Where its end tag begins, or, if its tag is both, ends.
        children: In order.
    """

    name: str
    attributes: dict[str, str]
    start: int
    close: int = 0
    children: list["Element"] = field(default_factory=list)

    def find(self, name: str) -> "Element | None":
        """The first child of this name."""
        for child in self.children:
            if child.name == name:
                return child
        return None

    def all(self, name: str) -> list["Element"]:
        """The children of this name."""
        return [child for child in self.children if child.name == name]

    def below(self, name: str) -> Iterator["Element"]:
        """The elements of this name among all descendants, in order."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.below(name)


class XmlUnit(NamedTuple):
    """An element with all that is in it, and its text as it is written."""

    element: Element
    text: str
    raw: bytes
    start: int
    end: int


class Opened(NamedTuple):
    """The start tag, at a byte of the document, of an element that is no unit, and its text."""

    name: str
    attributes: dict[str, str]
    start: int


class Closed(NamedTuple):
    """The end of such an element."""

    name: str


class Passed(NamedTuple):
    """Bytes up to here hold nothing more that will be named; they are forgotten after this."""

    end: int


Piece = XmlUnit | Opened | Closed | Passed
