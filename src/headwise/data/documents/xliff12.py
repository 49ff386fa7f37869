"""XLIFF 1.0 to 1.2 and what SDL Trados, Phrase and memoQ make of it: segments, and results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from headwise.data.documents.dialects import MEMOQ, reviewed_state, status_of
from headwise.data.documents.inline import inline_text, without_marks
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
from headwise.data.documents.xliff import Around, Xliff, begins_as, note_label
from headwise.data.documents.xml_pieces import Element, Opened, XmlUnit

_XML_LANGUAGE = "http://www.w3.org/XML/1998/namespace lang"


@dataclass(kw_only=True)
class Xliff12(Xliff):
    """Segments of XLIFF 1.2, and their results."""

    unit = "trans-unit"
    around_text = frozenset({"g", "mrk"})

    def enter(self, opened: Opened) -> None:
        """Take note of the start tag of a file, a group or anything else."""
        around, own = self.around[-1], opened.attributes
        if opened.name == f"{self.core}file":
            around = Around(
                own.get("original"), own.get("source-language"), own.get("target-language")
            )
        elif opened.name == f"{self.core}group" and "translate" in own:
            around = replace(around, translate=own["translate"] != "no")
        self.around.append(around)

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
        around = self.around[-1]
        status = status_of(unit.element, target, mark)
        language = None if target is None else target.attributes.get(_XML_LANGUAGE)
        what = "source" if mark is None else f"source marked {mark!r}"
        return Segment(
            source=self.source_text(unit, source),
            target=self.text(unit, holder),
            file=around.file,
            unit=unit.element.attributes.get("id"),
            segment=mark,
            source_language=around.source_language,
            target_language=language or around.target_language,
            state=status.state,
            translate=self.is_translated(unit),
            locked=status.locked,
            approved=status.approved,
            fault=f"The unit has no {what}." if source is None else None,
            holder=holder,
            definition=status.definition,
        )

    def edits(
        self,
        unit: XmlUnit,
        results: Sequence[tuple[Segment, SegmentResult]],
        marking: Marking,
    ) -> list[Splice]:
        """What the results of a unit's segments change in its text."""
        if not results:
            return []
        target = unit.element.find(f"{self.core}target")
        assert target is not None  # what has none is not scored
        edits: list[Splice] = []
        notes: dict[str, str] = {}
        for segment, result in results:
            edits += self._result_edits(unit, segment, result, marking)
            notes[note_label(segment)] = result.said
        edits += self._note_edits(unit, target, notes)
        flagged = marking.states and any(result.flagged for _, result in results)
        if flagged and unit.element.attributes.get("approved") == "yes":
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


def _mid(mark: Element) -> str:
    return mark.attributes.get("mid", "")
