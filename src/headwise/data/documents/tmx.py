"""TMX 1.4: pairs of variants of a translation unit, and results."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from headwise.data.documents.inline import Inline, plain_text
from headwise.data.documents.results import OWN, Marking, SegmentResult
from headwise.data.documents.segments import DocumentOptions, Segment
from headwise.data.documents.tags import (
    Splice,
    content_range,
    element_end,
    escaped,
    space_before,
)
from headwise.data.documents.xml_pieces import Closed, Element, Opened, XmlUnit
from headwise.errors import DataError

_LANGUAGES = ("http://www.w3.org/XML/1998/namespace lang", "lang")
_ANY = "*all*"
_INLINE = Inline(frozenset({"hi"}))
_SCORE, _CHECK = f"x-{OWN}-score", f"x-{OWN}-check"


@dataclass(slots=True)
class Tmx:
    """Segments of TMX, and their results.

    Attributes:
        name: What errors call the document.
        options: The source language, where it is not the one that the header says.
        sources: Whether segments get their sources.
    """

    name: str
    options: DocumentOptions
    sources: bool
    _source_language: str = field(default=_ANY, init=False)

    @property
    def units(self) -> frozenset[str]:
        """Names of the elements that hold segments."""
        return frozenset({"tu"})

    def enter(self, opened: Opened) -> None:
        """Take note of the header.

        Raises:
            DataError: If nothing says which language is the source.
        """
        if opened.name != "header":
            return
        self._source_language = opened.attributes.get("srclang", _ANY)
        if self._source_language == _ANY and self.options.source_language is None:
            raise DataError(
                f"`{self.name}` does not say which language is the source (srclang is {_ANY}); "
                "name it with --source-language."
            )

    def leave(self, _: Closed) -> None:
        """Nothing ends that matters."""

    def root_edits(self, _: str) -> list[Splice]:
        """Nothing is declared."""
        return []

    def segments(self, unit: XmlUnit) -> Iterator[Segment]:
        """Each variant beside that of the source language."""
        variants = [(_language(one), one) for one in unit.element.all("tuv")]
        wanted = self.options.source_language or unit.element.attributes.get(
            "srclang", self._source_language
        )
        sources = [one for language, one in variants if _is_same(language, wanted)]
        source = sources[0] if sources else None
        target_language = self.options.target_language
        for language, variant in variants:
            if variant is source:
                continue
            if target_language is not None and not _is_same(language, target_language):
                continue
            yield Segment(
                source="" if source is None or not self.sources else self._text(unit, source),
                target=self._text(unit, variant),
                unit=unit.element.attributes.get("tuid"),
                segment=language,
                source_language=None if source is None else _language(source),
                target_language=language,
                fault=f"The unit has no variant in {wanted!r}." if source is None else None,
                holder=variant,
            )

    def _text(self, unit: XmlUnit, variant: Element) -> str:
        segment = variant.find("seg")
        if segment is None:
            return ""
        start, end = content_range(unit.text, segment.start, segment.close)
        return plain_text(unit.text[start:end], _INLINE)

    def edits(
        self, unit: XmlUnit, results: Sequence[tuple[Segment, SegmentResult]], _: Marking
    ) -> list[Splice]:
        """Properties of the scored variants, in front of their texts."""
        edits: list[Splice] = []
        for segment, result in results:
            edits += self._property_edits(unit.text, segment.holder, result)
        return edits

    def _property_edits(
        self, text: str, variant: Element, result: SegmentResult
    ) -> Iterator[Splice]:
        held = variant.find("seg")
        assert held is not None  # what has no text is not scored
        space = space_before(text, held.start)
        for one in variant.all("prop"):
            if one.attributes.get("type") in (_SCORE, _CHECK):
                end = element_end(text, one.start, one.close)
                yield Splice(
                    one.start, end + len(space) if text.startswith(space, end) else end, ""
                )
        score, _, check = result.said.partition("; check: ")
        said = [(_SCORE, score), (_CHECK, check)] if check else [(_SCORE, score)]
        made = (f'<prop type="{kind}">{escaped(value)}</prop>{space}' for kind, value in said)
        yield Splice(held.start, held.start, "".join(made))


def _language(variant: Element) -> str:
    own = variant.attributes
    return next((own[name] for name in _LANGUAGES if name in own), "")


def _is_same(language: str, wanted: str) -> bool:
    """Whether a code is the wanted one, or that with a region where none is asked for."""
    one, other = (code.casefold().replace("_", "-") for code in (language, wanted))
    return one == other or one.startswith(f"{other}-")
