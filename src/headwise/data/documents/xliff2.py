"""XLIFF 2.0, 2.1 and 2.2: segments, and results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from headwise.data.documents.inline import inline_text, without_marks
from headwise.data.documents.its import comments
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
from headwise.data.documents.xliff import Xliff, begins_as, note_label
from headwise.data.documents.xml_pieces import Element, Opened, XmlUnit

_SUB_STATE = f"{OWN}:needs-review"
_INITIAL, _ABOVE_REVIEW = "initial", frozenset({"reviewed", "final"})


@dataclass(kw_only=True)
class Xliff2(Xliff):
    """Segments of XLIFF 2, and their results.

    Attributes:
        has_its: Whether the document's version knows the ITS module, as 2.0 does not.
    """

    unit = "unit"
    around_text = frozenset({"pc", "mrk"})

    has_its: bool

    def enter(self, opened: Opened) -> None:
        """Take note of the start tag of a file, a group or anything else."""
        around, own, core = self.around[-1], opened.attributes, self.core
        if opened.name == f"{core}xliff":
            around = replace(
                around, source_language=own.get("srcLang"), target_language=own.get("trgLang")
            )
        elif opened.name == f"{core}file":
            around = replace(around, file=own.get("original", own.get("id")))
        if "translate" in own and opened.name in (f"{core}file", f"{core}group"):
            around = replace(around, translate=own["translate"] != "no")
        self.around.append(around)

    def root_edits(self, tag: str) -> list[Splice]:
        """What a scored document declares."""
        return self.its.declaration(tag) if self.has_its else []

    def segments(self, unit: XmlUnit) -> Iterator[Segment]:
        """The segments of a unit; what is to be ignored is none."""
        around, own = self.around[-1], unit.element.attributes
        found = unit.element.all(f"{self.core}segment")
        for number, element in enumerate(found, start=1):
            source = element.find(f"{self.core}source")
            target = element.find(f"{self.core}target")
            state = element.attributes.get("state", _INITIAL)
            name = element.attributes.get("id") or (str(number) if len(found) > 1 else None)
            yield Segment(
                source=self.source_text(unit, source),
                target=self.text(unit, target),
                file=around.file,
                unit=own.get("id"),
                segment=name,
                source_language=around.source_language,
                target_language=around.target_language,
                state=state,
                translate=self.is_translated(unit),
                approved=state == "final",
                fault="The segment has no source." if source is None else None,
                holder=target,
                definition=element,
            )

    def edits(
        self,
        unit: XmlUnit,
        results: Sequence[tuple[Segment, SegmentResult]],
        marking: Marking,
    ) -> list[Splice]:
        """What the results of a unit's segments change in its text."""
        edits: list[Splice] = []
        notes: dict[str, str] = {}
        names = _names(unit.element, [segment.holder for segment, _ in results])
        for segment, result in results:
            edits += self._content_edits(unit, segment, result, marking, names)
            if marking.states and result.flagged:
                edits += with_attributes(
                    unit.text, segment.definition.start, _reviewed(segment.definition)
                )
            notes[note_label(segment)] = result.said
        return [*edits, *self._note_edits(unit, notes)] if results else edits

    def _content_edits(
        self,
        unit: XmlUnit,
        segment: Segment,
        result: SegmentResult,
        marking: Marking,
        names: Iterator[str],
    ) -> Iterator[Splice]:
        holder, inline = segment.holder, self.inline
        start, end = content_range(unit.text, holder.start, holder.close)
        before = unit.text[start:end]
        content = without_marks(before)
        mark, closing = f"<{inline.prefix}mrk", f"</{inline.prefix}mrk>"
        if marking.spans and result.spans:
            issues = self.its.issues(result, marking) if self.has_its else comments(result)
            kind = "its:generic" if self.has_its else "comment"
            tags = [
                # Each piece has a name of its own
                lambda said=issue: f'{mark} id="{next(names)}" type="{kind}"{said}>'
                for issue in issues
            ]
            content = inline_text(content, inline).marked(result.spans, tags, closing)
        if self.has_its and result.confidence is not None:
            said = self.its.confidence_tag(result, marking)
            content = f'{mark} id="{next(names)}" type="its:generic"{said}>{content}{closing}'
        if content != before:
            yield Splice(start, end, content)

    def _note_edits(self, unit: XmlUnit, notes: Mapping[str, str]) -> Iterator[Splice]:
        """Notes by what they begin with, in the place of earlier ones that begin so."""
        text, element, core = unit.text, unit.element, self.core
        prefix = self.prefix
        said = [
            f'<{prefix}note category="{OWN}">{escaped(label)} {escaped(one)}</{prefix}note>'
            for label, one in notes.items()
        ]
        place = next(
            one.start
            for one in element.children
            if one.name.removeprefix(core) in ("originalData", "segment", "ignorable")
        )
        holder = element.find(f"{core}notes")
        if holder is not None:
            known = holder.all(f"{core}note")
            own = [
                one
                for one in known
                if one.attributes.get("category") == OWN and begins_as(text, one, notes)
            ]
            if len(own) < len(known):
                yield from self._among_others(unit, known, own, said)
                return
            yield Splice(holder.start, place, "")
        space = space_before(text, place if holder is None else holder.start)
        inner = f"{space}  " if space else ""
        written = "".join(f"{inner}{one}" for one in said)
        yield Splice(place, place, f"<{prefix}notes>{written}{space}</{prefix}notes>{space}")

    def _among_others(
        self, unit: XmlUnit, known: Sequence[Element], own: Sequence[Element], said: Sequence[str]
    ) -> Iterator[Splice]:
        """Notes behind those of others, in the place of earlier ones of ours."""
        text = unit.text
        last = [one for one in known if one not in own][-1]
        space = space_before(text, last.start)
        for one in own:
            start = one.start - len(space) if text.endswith(space, 0, one.start) else one.start
            yield Splice(start, element_end(text, one.start, one.close), "")
        place = element_end(text, last.start, last.close)
        yield Splice(place, place, "".join(f"{space}{one}" for one in said))


def _reviewed(segment: Element) -> dict[str, str | None]:
    """Attributes of a segment that needs a review; never of a higher state."""
    own = segment.attributes
    state, sub_state = own.get("state", _INITIAL), own.get("subState")
    if state in _ABOVE_REVIEW:
        return {"state": "translated", "subState": _SUB_STATE}
    if sub_state not in (None, _SUB_STATE):
        return {}
    return {"state": state, "subState": _SUB_STATE}


def _names(unit: Element, holders: Sequence[Element]) -> Iterator[str]:
    """Names for marks, none of which an element has that stays in the unit."""
    taken: set[str] = set()
    waiting = [(child, False) for child in unit.children]
    while waiting:
        one, goes = waiting.pop()
        goes = goes or one in holders
        is_own = one.name.endswith("mrk") and one.attributes.get("id", "").startswith(OWN)
        taken.add("" if is_own and goes else one.attributes.get("id", ""))
        waiting += ((child, goes) for child in one.children)
    number = 0
    while True:
        number += 1
        if (name := f"{OWN}{number}") not in taken:
            yield name
