"""Segments of translators' documents: their texts, where they stand, and which are not scored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

# What --states calls a segment that has no state
NO_STATE = "none"


class Skipped(StrEnum):
    """Why a segment of a document is not scored, as the command says it after a number."""

    NOT_TRANSLATABLE = "not to be translated"
    LOCKED = "locked"
    UNTRANSLATED = "without a translation"
    APPROVED = "approved"
    OTHER_STATE = "of other states"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentOptions:
    """What a reader of documents is told; what is ``None`` is found in the document.

    Attributes:
        states: The states of the segments to read, by the names that the format has for them,
            ``none`` for segments without one; by default all but approved and final ones.
        source_language: Of the sources, whatever the document says; it is the language that pairs
            of a TMX file begin with.
        target_language: Of the translations, likewise; TMX variants in other ones are left alone.
    """

    states: tuple[str, ...] | None = None
    source_language: str | None = None
    target_language: str | None = None


@dataclass(slots=True, kw_only=True)
class Segment:
    """A source and its translation in a document.

    Attributes:
        source: The text without its inline tags.
        target: Likewise; empty if there is no translation.
        file: Which of the files in the document it belongs to, where there are several.
        unit: The unit that holds it.
        segment: The segment's own name in it, where there are several.
        source_language: As the document says it.
        target_language: Likewise.
        state: By the format's own name.
        translate: Whether it is to be translated.
        locked: Whether nobody may change it.
        approved: Whether somebody said that the translation is right.
        fault: Why it cannot be read, if so.
        holder: What of the document holds the translation; known to the format's writer.
        definition: What says its state, where that is not the holder, likewise.
    """

    source: str
    target: str
    unit: str | None
    file: str | None = None
    segment: str | None = None
    source_language: str | None = None
    target_language: str | None = None
    state: str | None = None
    translate: bool = True
    locked: bool = False
    approved: bool = False
    fault: str | None = None
    holder: Any = field(default=None, compare=False)
    definition: Any = field(default=None, compare=False)

    def skipped(self, options: DocumentOptions) -> Skipped | None:
        """Why it is not to be scored; ``None`` if it is.

        Args:
            options: Which states of segments are skipped.
        """
        if not self.translate:
            return Skipped.NOT_TRANSLATABLE
        if self.locked:
            return Skipped.LOCKED
        if self.fault is not None:
            return None
        if not self.target.strip():
            return Skipped.UNTRANSLATED
        if options.states is None:
            return Skipped.APPROVED if self.approved else None
        known = NO_STATE if self.state is None else self.state
        wanted = {name.casefold() for name in options.states}
        return None if known.casefold() in wanted else Skipped.OTHER_STATE

    def columns(self, options: DocumentOptions) -> dict[str, Any]:
        """What a row says of it beside its texts; what is not known is left out.

        Args:
            options: Languages that the document leaves open.
        """
        named = {
            "file": self.file,
            "unit": self.unit,
            "segment": self.segment,
            "state": self.state,
            "source_language": options.source_language or self.source_language,
            "target_language": options.target_language or self.target_language,
        }
        return {name: value for name, value in named.items() if value is not None}


def place_in_document(columns: Mapping[str, Any]) -> str:
    """Where a row of a document stands, for errors; empty if it comes from a table.

    Args:
        columns: The columns of a row, as :meth:`Segment.columns` gives them.
    """
    names = [f"{name} {columns[name]}" for name in ("unit", "segment") if name in columns]
    return ", ".join(names).capitalize()
