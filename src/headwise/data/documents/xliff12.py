"""XLIFF 1.0 to 1.2 and what SDL Trados, Phrase and memoQ make of it: segments, and results."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headwise.data.documents.dialects import MEMOQ, reviewed_state, status_of
from headwise.data.documents.inline import Inline, inline_text, plain_text, without_marks
from headwise.data.documents.its import ITSNames
from headwise.data.documents.results import OWN, Marking, SegmentResult
from headwise.data.documents.segments import Segment
from headwise.data.documents.tags import (
    Splice,
    content_range,
    element_end,
    escaped,
    space_before,
    with_attributes,
)
from headwise.data.documents.xml_pieces import Closed, Element, Opened, XmlUnit

_XML_LANGUAGE = "http://www.w3.org/XML/1998/namespace lang"
_AROUND_TEXT = frozenset({"g", "mrk"})


@dataclass(slots=True)
class _File:
    """What holds for units: attributes of their file, and whether groups are to be translated."""

    original: str | None = None
    source_language: str | None = None
    target_language: str | None = None
    translate: bool = True


@dataclass(slots=True)
class Xliff12:
    """Segments of XLIFF 1.2, and their results.

    Attributes:
        core: Namespace of the document with a space, if it has one.
        its: How the names of ITS are written.
        prefix: What the tags of the document begin with.
        sources: Whether segments get their sources.
        inline: Its inline tags.
    """

    core: str
    its: ITSNames
    prefix: str
    sources: bool
    inline: Inline = field(init=False)
    _files: list[_File] = field(default_factory=lambda: [_File()])

    def __post_init__(self) -> None:
        self.inline = Inline(_AROUND_TEXT, self.prefix)

    @property
    def units(self) -> frozenset[str]:
        """Names of the elements that hold segments."""
        return frozenset({f"{self.core}trans-unit"})

    def enter(self, opened: Opened) -> None:
        """Take note of the start tag of a file, a group or anything else."""
        above, own = self._files[-1], opened.attributes
        if opened.name == f"{self.core}file":
            file = _File(
                own.get("original"), own.get("source-language"), own.get("target-language")
            )
        else:
            file = above
        if "translate" in own and opened.name == f"{self.core}group":
            file = _File(
                file.original, file.source_language, file.target_language, own["translate"] != "no"
            )
        self._files.append(file)

    def leave(self, _: Closed) -> None:
        """Take note of its end."""
        self._files.pop()

    def root_edits(self, tag: str) -> list[Splice]:
        """What a scored document declares."""
        return self.its.declaration(tag)

    def segments(self, unit: XmlUnit) -> Iterator[Segment]:
        """The segments of a unit, each with the element that holds its translation."""
        element, core = unit.element, self.core
        source, target = element.find(f"{core}source"), element.find(f"{core}target")
        marks = [] if target is None else list(self._marks(target))
        if target is None or not marks:
            yield self._segment(unit, source, target, target, None)
            return
        parted = element.find(f"{core}seg-source") or source
        sources = {} if parted is None else {_mid(one): one for one in self._marks(parted)}
        for mark in marks:
            yield self._segment(unit, sources.get(_mid(mark)), mark, target, _mid(mark))

    def _marks(self, element: Element) -> Iterator[Element]:
        for one in element.below(f"{self.core}mrk"):
            if one.attributes.get("mtype") == "seg":
                yield one

    def _segment(
        self,
        unit: XmlUnit,
        source: Element | None,
        holder: Element | None,
        target: Element | None,
        mark: str | None,
    ) -> Segment:
        file, own = self._files[-1], unit.element.attributes
        status = status_of(unit.element, target, mark)
        language = None if target is None else target.attributes.get(_XML_LANGUAGE)
        what = "source" if mark is None else f"source marked {mark!r}"
        return Segment(
            source="" if source is None or not self.sources else self._text(unit, source),
            target="" if holder is None else self._text(unit, holder),
            file=file.original,
            unit=own.get("id"),
            segment=mark,
            source_language=file.source_language,
            target_language=language or file.target_language,
            state=status.state,
            translate=own.get("translate", "yes" if file.translate else "no") != "no",
            locked=status.locked,
            approved=status.approved,
            fault=f"The unit has no {what}." if source is None else None,
            holder=holder,
            definition=status.definition,
        )

    def _text(self, unit: XmlUnit, element: Element) -> str:
        start, end = content_range(unit.text, element.start, element.close)
        return plain_text(unit.text[start:end], self.inline)

    def edits(
        self,
        unit: XmlUnit,
        results: Sequence[tuple[Segment, SegmentResult]],
        marking: Marking,
    ) -> list[Splice]:
        """What the results of a unit's segments change in its text."""
        target = unit.element.find(f"{self.core}target")
        edits: list[Splice] = []
        notes: dict[str, str] = {}
        for segment, result in results:
            edits += self._result_edits(unit, segment, result, marking)
            notes[note_label(segment)] = result.said
        if target is not None and results:
            edits += self._note_edits(unit, target, notes)
            flagged = any(result.flagged for _, result in results)
            if marking.states and flagged and unit.element.attributes.get("approved") == "yes":
                edits += with_attributes(unit.text, unit.element.start, {"approved": "no"})
        return edits

    def _result_edits(
        self, unit: XmlUnit, segment: Segment, result: SegmentResult, marking: Marking
    ) -> Iterator[Splice]:
        holder, text = segment.holder, unit.text
        values = self.its.confidence(holder, result, marking)
        state = None
        if marking.states and result.flagged and MEMOQ + "status" not in unit.element.attributes:
            names = self.its.prefixes
            state = reviewed_state(segment.state, segment.definition, names)
        if state is not None and segment.definition is None:
            values |= dict([state])
        elif state is not None:
            yield from with_attributes(text, segment.definition.start, dict([state]))
        yield from with_attributes(text, holder.start, values)
        start, end = content_range(text, holder.start, holder.close)
        content = before = text[start:end]
        content = without_marks(content)
        if marking.spans and result.spans:
            inline = self.inline
            mark = f"{inline.prefix}mrk"
            tags = [
                lambda said=issue: f'<{mark} mtype="x-its"{said}>'
                for issue in self.its.issues(result, marking)
            ]
            content = inline_text(content, inline).marked(result.spans, tags, f"</{mark}>")
        if content != before:
            yield Splice(start, end, content)

    def _note_edits(
        self, unit: XmlUnit, target: Element, notes: Mapping[str, str]
    ) -> Iterator[Splice]:
        """Notes by what they begin with, in the place of earlier ones that begin so."""
        text = unit.text
        space = space_before(text, target.start)
        for note in unit.element.all(f"{self.core}note"):
            if note.attributes.get("from") == OWN and begins_as(text, note, notes):
                start = note.start
                if space and text.endswith(space, 0, start):
                    start -= len(space)
                yield Splice(start, element_end(text, note.start, note.close), "")
        prefix = self.prefix
        place = element_end(text, target.start, target.close)
        written = (
            f'{space}<{prefix}note from="{OWN}" annotates="target">'
            f"{escaped(label)} {escaped(said)}</{prefix}note>"
            for label, said in notes.items()
        )
        yield Splice(place, place, "".join(written))


def note_label(segment: Segment) -> str:
    """What the note of a segment begins with."""
    return f"{OWN}:" if segment.segment is None else f"{OWN} {segment.segment}:"


def begins_as(text: str, note: Element, labels: Iterable[str]) -> bool:
    """Whether a note begins with one of these."""
    start, _ = content_range(text, note.start, note.close)
    return any(text.startswith(escaped(label), start) for label in labels)


def _mid(mark: Element) -> str:
    return mark.attributes.get("mid", "")
