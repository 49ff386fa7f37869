"""Start tags as they are written: where they end, and edits of their attributes.

Texts are parts of documents that a parser has read, so that tags are known to be well-formed.
"""

import re
from collections.abc import Iterable
from operator import itemgetter
from typing import NamedTuple

_VALUE = r"""(?:"[^"]*+"|'[^']*+')"""
_TAG = re.compile(rf"<[^\s/>]++(?:\s++[^\s=/>]++\s*+=\s*+{_VALUE})*+")
_WHOLE_TAG = re.compile(rf"{_TAG.pattern}\s*+/?>")
_ATTRIBUTE = re.compile(rf"\s+([^\s=/>]+)\s*=\s*({_VALUE})")
_PLACE = itemgetter(0, 1)


class Splice(NamedTuple):
    """What is put into the place of ``text[start:end]``."""

    start: int
    end: int
    text: str


def spliced(text: str, edits: Iterable[Splice]) -> str:
    """A text with edits, none of which overlap; those of one place stay in their order."""
    parts: list[str] = []
    done = 0
    for start, end, new in sorted(edits, key=_PLACE):
        parts += (text[done:start], new)
        done = end
    parts.append(text[done:])
    return "".join(parts)


def escaped(text: str) -> str:
    """A text as XML has it between tags, in one line."""
    in_line = " ".join(text.splitlines())
    return in_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escaped_value(text: str) -> str:
    """A text as the value of an attribute."""
    return escaped(text).replace('"', "&quot;").replace("'", "&apos;")


def attributes_end(text: str, start: int) -> int:
    """Where the last attribute of the tag at ``start`` ends, or its name."""
    found = _TAG.match(text, start)
    assert found is not None
    return found.end()


def tag_end(text: str, start: int) -> int:
    """Where the start tag at ``start`` ends."""
    found = _WHOLE_TAG.match(text, start)
    assert found is not None
    return found.end()


def content_range(text: str, start: int, close: int) -> tuple[int, int]:
    """Where the content of an element lies, whose start tag and end tag begin in these places."""
    end = tag_end(text, start)
    return (end, end) if text[end - 2] == "/" else (end, close)


def element_end(text: str, start: int, close: int) -> int:
    """Where such an element ends."""
    end = tag_end(text, start)
    return end if text[end - 2] == "/" else text.index(">", close) + 1


def tag_prefix(tag: str) -> str:
    """The prefix of a tag's name, with its colon; empty if it has none."""
    name = tag[1 : attributes_end(tag, 0)].split(None, 1)[0]
    before, colon, _ = name.rpartition(":")
    return before + colon


def with_attributes(text: str, start: int, values: dict[str, str | None]) -> list[Splice]:
    """Edits that give attributes of the tag at ``start`` these values; ``None`` takes one away."""
    end = attributes_end(text, start)
    left, edits = dict(values), []
    for found in _ATTRIBUTE.finditer(text, start, end):
        name = found[1]
        if name not in left:
            continue
        value = left.pop(name)
        if value is None:
            edits.append(Splice(found.start(), found.end(), ""))
        else:
            edits.append(Splice(found.start(2) + 1, found.end(2) - 1, escaped_value(value)))
    new = "".join(f' {name}="{escaped_value(v)}"' for name, v in left.items() if v is not None)
    return [*edits, Splice(end, end, new)] if new else edits


def space_before(text: str, place: int) -> str:
    """The white space in front of a place, from the last line end on; empty if there is none."""
    before = text[:place]
    space = before[len(before.rstrip()) :]
    line = max(space.rfind("\n"), space.rfind("\r"))
    if line < 0:
        return ""
    return space[line - 1 :] if space[line - 1 : line + 1] == "\r\n" else space[line:]
