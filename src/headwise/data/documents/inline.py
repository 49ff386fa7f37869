"""Text with inline tags: what of it is text, where each character is written, and marks around it.

A content is what stands between the tags of a source or target, as it is written. Tags are no
text, and neither is native code between them; nothing is put into their place. A tag that stands
for a line break is the exception: between two words it is a space.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from headwise.data.documents.results import OWN
from headwise.data.documents.tags import Splice, spliced
from headwise.data.records.error_spans import Range

_OPEN_CDATA, _CLOSE_CDATA = "<![CDATA[", "]]>"
_TOKEN = re.compile(
    r"""
      <!\[CDATA\[ (?P<cdata>.*?) \]\]>
    | <!--.*?--> | <\?.*?\?>
    | < (?P<closing>/?) (?P<name>[^\s/>]++)
        (?:[^>"'/]++ | "[^"]*+" | '[^']*+' | /(?!>))*+ (?P<empty>/?) >
    | (?P<reference>&[^;]++;)
    | (?P<return>\r\n?)
    | (?P<text>[^<&\r]++)
    """,
    re.VERBOSE | re.DOTALL,
)
# What only a closer look can read: sections, comments, line breaks
_HARD = ("<!", "<?", "\r", 'lb"', "lb'")
_SIMPLE_TAG = re.compile(r"(<[^<>]*>)")
_REFERENCE = re.compile(r"&[^;]+;")
_LINES = re.compile(r"\r\n?|[^\r]+")
_LINE_BREAK = re.compile(r"""\s(?:ctype|type|subType)\s*=\s*["'](?:xlf:)?lb["']""")
_DELETED = "x-sdl-deleted"
_NO_TEXT = re.compile(rf"""\smtype\s*=\s*["']{_DELETED}["']""")
# Marks of ours name their engine, or have a name that begins with ours
_OWN_MARK = re.compile(r"""<(?:[^\s:]+:)?mrk\s(?:.*\|headwise:|id="headwise\d+")""", re.DOTALL)
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


@dataclass(frozen=True, slots=True)
class Inline:
    """The inline tags of a format.

    Attributes:
        around_text: Names of elements whose content is text; that of all others is not.
        prefix: What names of the format begin with in this document.
    """

    around_text: frozenset[str]
    prefix: str = ""
    _around_text_alone: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = "|".join(map(re.escape, sorted(self.around_text)))
        opening = rf"<{re.escape(self.prefix)}(?:{names})(?:\s[^<>]*)?>"
        pattern = re.compile(rf"{opening}|</[^<>]*>|<[^<>]*/>")
        object.__setattr__(self, "_around_text_alone", pattern)

    def opens_text(self, tag: str) -> bool:
        """Whether the content of an element is text, which its start tag says."""
        name = tag[1:-1].split(None, 1)[0]
        if not name.startswith(self.prefix) or name[len(self.prefix) :] not in self.around_text:
            return False
        return _NO_TEXT.search(tag) is None

    def without_tags(self, content: str) -> str:
        """A content with nothing but text and tags, without all that is no text."""
        if _DELETED not in content:
            text = self._around_text_alone.sub("", content)
            if "<" not in text:
                return text
        return self._without_codes(content)

    def _without_codes(self, content: str) -> str:
        first, *rest = _SIMPLE_TAG.split(content)
        parts, codes = [first], 0
        for tag, text in zip(rest[::2], rest[1::2], strict=True):
            if tag[1] == "/":
                codes -= codes > 0
            elif tag[-2] != "/":
                # What is inside of native code is that, too
                codes += codes > 0 or not self.opens_text(tag)
            if not codes:
                parts.append(text)
        return "".join(parts)


class _Run(NamedTuple):
    """Neighbouring characters of a text that are written one as the other.

    Attributes:
        first: The first one, in the text.
        length: How many there are.
        start: Where they are written, in the content.
        end: Where that ends; one character may be written as several.
        owner: In which element.
        section: In which CDATA section.
    """

    first: int
    length: int
    start: int
    end: int
    owner: int
    section: Range | None


@dataclass(slots=True)
class InlineText:
    """The text of a content, and how it is written."""

    content: str
    text: str
    _runs: list[_Run]
    _firsts: list[int]

    def _run(self, character: int) -> _Run:
        return self._runs[bisect_right(self._firsts, character) - 1]

    def _written(self, character: int) -> Range:
        run = self._run(character)
        if run.length != run.end - run.start:
            return run.start, run.end
        place = run.start + character - run.first
        return place, place + 1

    def marked(
        self, spans: Iterable[Range], tags: Iterable[Callable[[], str]], closing: str
    ) -> str:
        """The content with tags around each span, none of which overlap.

        Where tags of the content begin or end between the characters of a span, it is marked in
        pieces, for each of which a start tag is made.
        """
        edits: list[Splice] = []
        for (start, end), opening in zip(spans, tags, strict=True):
            for first, last in self._pieces(start, end):
                edits.append(self._edit(first, opening(), ends=False))
                edits.append(self._edit(last, closing, ends=True))
        return spliced(self.content, edits)

    def _pieces(self, start: int, end: int) -> Iterator[Range]:
        """First and last characters of the pieces that tags can be put around."""
        if start >= end:
            return
        if self._run(start).owner == self._run(end - 1).owner:
            yield start, end - 1
            return
        first = start
        for place in range(start + 1, end + 1):
            if place == end or self._run(place).owner != self._run(first).owner:
                if self.text[first:place].strip():
                    yield first, place - 1
                first = place

    def _edit(self, character: int, tag: str, *, ends: bool) -> Splice:
        """Put a tag before a character, or behind it."""
        place = self._written(character)[ends]
        section = self._run(character).section
        if section is not None:
            if ends:
                outside = section[1] + len(_CLOSE_CDATA)
                is_edge = place == section[1] and not self.content.startswith(_OPEN_CDATA, outside)
            else:
                outside = section[0] - len(_OPEN_CDATA)
                is_edge = place == section[0] and not self.content.endswith(
                    _CLOSE_CDATA, 0, outside
                )
            # Between two sections, the tag could not be taken out without joining them
            place = outside if is_edge else place
            tag = tag if is_edge else f"{_CLOSE_CDATA}{tag}{_OPEN_CDATA}"
        return Splice(place, place, tag)


def plain_text(content: str, inline: Inline) -> str:
    """The text of a content."""
    if content.count("<") != content.count(">") or any(hard in content for hard in _HARD):
        return _read(content, inline, None)
    if "<" in content:
        content = inline.without_tags(content)
    return _REFERENCE.sub(lambda found: _referred(found[0]), content) if "&" in content else content


def inline_text(content: str, inline: Inline) -> InlineText:
    """The text of a content, with the place of every character."""
    runs: list[_Run] = []
    text = _read(content, inline, runs)
    return InlineText(content, text, runs, [run.first for run in runs])


def without_marks(content: str) -> str:
    """A content without the marks that headwise put in; as it was before."""
    if OWN not in content:
        return content
    edits: list[Splice] = []
    opened: list[bool] = []
    for tag in _TOKEN.finditer(content):
        if tag["name"] is None or tag["empty"]:
            continue
        if not tag["closing"]:
            opened.append(_OWN_MARK.match(tag[0]) is not None)
            is_own = opened[-1]
        else:
            is_own = opened.pop() if opened else False
        if is_own:
            start, end = tag.span()
            joins = content.endswith(_CLOSE_CDATA, 0, start)
            if joins and content.startswith(_OPEN_CDATA, end):
                start, end = start - len(_CLOSE_CDATA), end + len(_OPEN_CDATA)
            edits.append(Splice(start, end, ""))
    return spliced(content, edits)


def _read(content: str, inline: Inline, runs: list[_Run] | None) -> str:
    """The text of a content; where it is written goes into ``runs``."""
    parts: list[str] = []
    owners, codes, count, length = [0], 0, 0, 0
    line_break: Range | None = None
    for token in _TOKEN.finditer(content):
        kind = token.lastgroup
        if kind == "empty":  # which all tags are asked for
            if token["closing"]:
                codes -= codes > 0
                if not codes and len(owners) > 1:
                    owners.pop()
                continue
            if not codes and _LINE_BREAK.search(token[0]) is not None:
                line_break = token.span()
            if token["empty"]:
                continue
            if codes or not inline.opens_text(token[0]):
                if not codes:
                    owners.append(owners[-1])
                codes += 1
            else:
                count += 1
                owners.append(count)
            continue
        if codes or kind is None:
            continue
        if kind == "text":
            pieces = [(token[0], token.span())]
        elif kind == "reference":
            pieces = [(_referred(token[0]), token.span())]
        elif kind == "return":
            pieces = [("\n", token.span())]
        else:
            lines = _LINES.finditer(content, *token.span("cdata"))
            pieces = [("\n" if one[0][0] == "\r" else one[0], one.span()) for one in lines]
        section = token.span("cdata") if kind == "cdata" else None
        for text, (start, end) in pieces:
            if line_break is not None:
                if parts and not parts[-1][-1].isspace() and not text[0].isspace():
                    parts.append(" ")
                    if runs is not None:
                        runs.append(_Run(length, 1, *line_break, owners[-1], None))
                    length += 1
                line_break = None
            parts.append(text)
            if runs is not None:
                runs.append(_Run(length, len(text), start, end, owners[-1], section))
            length += len(text)
    return "".join(parts)


def _referred(reference: str) -> str:
    name = reference[1:-1]
    if name.startswith("#x"):
        return chr(int(name[2:], 16))
    return chr(int(name[1:])) if name.startswith("#") else _NAMED[name]
