"""gettext's PO files: segments, and results as comments and flags."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headwise.data.documents.po_lines import Entry, fields_of_header
from headwise.data.documents.results import OWN, Marking, SegmentResult
from headwise.data.documents.segments import Segment

_COMMENT = f"# {OWN}".encode("ascii")
_FUZZY = b"fuzzy"


@dataclass(slots=True)
class Po:
    """Segments of a PO file, and their results.

    Attributes:
        codec: How the file is encoded.
        source_language: As the header says it; that of gettext is English.
        target_language: Likewise, if it says it.
    """

    codec: str
    source_language: str = "en"
    target_language: str | None = None

    def segments(self, entry: Entry) -> Iterator[Segment]:
        """The translations of an entry: of a plural, each against the form that it is of."""
        if entry.is_header and entry.fault is None:
            said = fields_of_header(entry.texts.get("msgstr", ""))
            self.source_language = said.get("X-Source-Language", self.source_language)
            self.target_language = said.get("Language")
            return
        if not entry.texts and entry.fault is None:
            return
        translations = entry.translations
        if not translations and entry.fault is None:
            entry.fault = "The entry has no msgstr."
        fuzzy = "fuzzy" in entry.flags
        for keyword in translations or ("",):
            one = "msgid" if keyword in ("msgstr", "msgstr[0]") else "msgid_plural"
            fault = entry.fault
            if fault is None and one not in entry.texts:
                fault = f"The entry has {keyword} and no {one}."
            yield Segment(
                source=entry.texts.get(one, ""),
                target=translations.get(keyword, ""),
                unit=str(entry.line),
                segment=keyword.removeprefix("msgstr").strip("[]") or None,
                source_language=self.source_language,
                target_language=self.target_language or None,
                state="fuzzy" if fuzzy else "translated",
                fault=fault,
                holder=entry,
            )
            if entry.fault is not None:
                return

    def lines(
        self, entry: Entry, results: Sequence[tuple[Segment, SegmentResult]], marking: Marking
    ) -> list[bytes]:
        """The lines of an entry with the results of its segments."""
        if not results:
            return entry.raw
        first, *rest = entry.raw
        mark = b"\xef\xbb\xbf" if first.startswith(b"\xef\xbb\xbf") else b""
        lines = [first.removeprefix(mark), *rest]
        end = (
            lines[-1][len(lines[-1].rstrip(b"\r\n")) :] or lines[0][len(lines[0].rstrip(b"\r\n")) :]
        )
        lines = [line for line in lines if not line.startswith(_COMMENT)]
        said = [self._comment(segment, result) + end for segment, result in results]
        place = 0
        while place < len(lines) and _is_translators(lines[place]):
            place += 1
        lines[place:place] = said
        if marking.states and any(result.flagged for _, result in results):
            lines = _fuzzy(lines, end)
        return [mark + lines[0], *lines[1:]]

    def _comment(self, segment: Segment, result: SegmentResult) -> bytes:
        form = "" if segment.segment is None else f"[{segment.segment}]"
        text = f"# {OWN}{form}: {result.said}"
        return text.encode(self.codec, "backslashreplace")


def _is_translators(line: bytes) -> bool:
    """Whether a line is a comment by translators, which come before all others."""
    return line.startswith(b"#") and line[1:2] not in (b".", b":", b",", b"|", b"~")


def _fuzzy(lines: list[bytes], end: bytes) -> list[bytes]:
    """The lines of an entry that is marked as fuzzy."""
    for place, line in enumerate(lines):
        if not line.startswith(b"#,"):
            continue
        flags = [flag.strip() for flag in line[2:].split(b",")]
        if _FUZZY in flags:
            return lines
        return [*lines[:place], b"#, fuzzy," + line[2:], *lines[place + 1 :]]
    place = next(
        place for place, line in enumerate(lines) if line[:1] != b"#" or line.startswith(b"#|")
    )
    return [*lines[:place], b"#, fuzzy" + end, *lines[place:]]
