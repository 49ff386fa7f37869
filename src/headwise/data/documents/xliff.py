"""What both versions of XLIFF share: what holds for units, texts of elements, notes of ours."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from headwise.data.documents.inline import Inline, plain_text
from headwise.data.documents.its import ITSNames
from headwise.data.documents.results import OWN
from headwise.data.documents.segments import Segment
from headwise.data.documents.tags import content_range, escaped
from headwise.data.documents.xml_pieces import Closed, Element, XmlUnit


@dataclass(frozen=True, slots=True)
class Around:
    """What holds for units: their file, languages, and whether they are to be translated."""

    file: str | None = None
    source_language: str | None = None
    target_language: str | None = None
    translate: bool = True


@dataclass(kw_only=True)
class Xliff:
    """A document of either version.

    Attributes:
        core: Namespace of the document with a space, if it has one.
        its: How the names of ITS are written.
        prefix: What the tags of the document begin with.
        sources: Whether segments get their sources.
        inline: Its inline tags.
        unit: What an element that holds segments is called.
        around_text: Inline elements whose content is text.
    """

    unit: ClassVar[str]
    around_text: ClassVar[frozenset[str]]

    core: str
    its: ITSNames
    prefix: str
    sources: bool
    inline: Inline = field(init=False)
    around: list[Around] = field(init=False, default_factory=lambda: [Around()])

    def __post_init__(self) -> None:
        self.inline = Inline(self.around_text, self.prefix)

    @property
    def units(self) -> frozenset[str]:
        """Names of the elements that hold segments."""
        return frozenset({f"{self.core}{self.unit}"})

    def leave(self, _: Closed) -> None:
        """Take note of the end of a file, a group or anything else."""
        self.around.pop()

    def source_text(self, unit: XmlUnit, source: Element | None) -> str:
        """The text of a source, if sources are wanted."""
        return self.text(unit, source) if self.sources else ""

    def text(self, unit: XmlUnit, element: Element | None) -> str:
        """The text of an element without its tags; empty if there is none."""
        if element is None:
            return ""
        start, end = content_range(unit.text, element.start, element.close)
        return plain_text(unit.text[start:end], self.inline)

    def is_translated(self, unit: XmlUnit) -> bool:
        """Whether a unit is to be translated, as it says itself or what it stands in."""
        usual = "yes" if self.around[-1].translate else "no"
        return unit.element.attributes.get("translate", usual) != "no"


def note_label(segment: Segment) -> str:
    """What the note of a segment begins with."""
    return f"{OWN}:" if segment.segment is None else f"{OWN} {segment.segment}:"


def begins_as(text: str, note: Element, labels: Iterable[str]) -> bool:
    """Whether a note begins with one of these."""
    start, _ = content_range(text, note.start, note.close)
    return any(text.startswith(escaped(label), start) for label in labels)
