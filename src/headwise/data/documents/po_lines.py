"""Entries of gettext's PO files, line by line, as they are written."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from headwise.errors import DataError

_CHARSET = re.compile(rb"charset=([A-Za-z0-9._:-]+)")
_HEADER_BYTES = 2**16
_MOST_LINE_BYTES = 2**24
_KEYWORD = re.compile(r"(msgctxt|msgid_plural|msgid|msgstr(?:\[(\d{1,3})\])?)\s*(.*)", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"\s*', re.DOTALL)
_ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)", re.DOTALL)
_ESCAPED = dict(zip('ntrabfv"\\', '\n\t\r\a\b\f\v"\\', strict=True))


@dataclass(slots=True)
class Entry:
    """An entry of a PO file, or lines that are none.

    Attributes:
        line: Its first line that is no comment, counted from 1; 0 if there is none.
        raw: The lines as they are written.
        texts: The texts by keyword: ``msgctxt``, ``msgid``, ``msgid_plural``, ``msgstr``, and
            ``msgstr[0]`` and so on.
        flags: What its ``#,`` lines say.
        fault: Why it cannot be read, if so.
    """

    line: int = 0
    raw: list[bytes] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    fault: str | None = None

    @property
    def translations(self) -> dict[str, str]:
        """The translations by keyword, in order."""
        return {name: text for name, text in self.texts.items() if name.startswith("msgstr")}

    @property
    def is_header(self) -> bool:
        """Whether it says how the file is written."""
        return self.texts.get("msgid") == "" and "msgctxt" not in self.texts


@dataclass(slots=True)
class PoFile:
    """A PO file that is read once.

    Attributes:
        stream: Not read yet.
        name: What errors call it.
        codec: How it is encoded: by its header, else UTF-8.
    """

    stream: BinaryIO
    name: str
    codec: str = field(default="utf-8", init=False)

    def __post_init__(self) -> None:
        start = self.stream.read(_HEADER_BYTES)
        self.stream.seek(0)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in start[:4]:
            raise DataError(f"`{self.name}` is UTF-16, which PO files cannot be; save it as UTF-8.")
        found = _CHARSET.search(start)
        named = "utf-8" if found is None else found[1].decode("ascii")
        if named == "CHARSET":  # a template that nobody has filled in
            return
        try:
            info = codecs.lookup(named)
            if not info._is_text_encoding:
                raise LookupError
        except LookupError:
            raise DataError(
                f"`{self.name}` declares the charset {named!r}, which is not known; save it as "
                "UTF-8 and say so in its header."
            ) from None
        self.codec = info.name

    def entries(self) -> Iterator[Entry]:
        """The entries in order; all lines of the file are in one of them.

        Raises:
            DataError: If the file is no PO file.
        """
        entry, keyword, number, found = Entry(), "", 0, False
        while raw := self.stream.readline(_MOST_LINE_BYTES):
            number += 1
            if len(raw) == _MOST_LINE_BYTES:
                raise DataError(
                    f"Line {number} of `{self.name}` is longer than {_MOST_LINE_BYTES:,} bytes; "
                    "write the text in several lines."
                )
            bare = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
            kind = bare.lstrip()
            begins = kind.startswith((b"#", b"msgctxt")) or (
                kind.startswith(b"msgid") and not kind.startswith(b"msgid_plural")
            )
            if entry.raw and (not kind or (begins and entry.translations)):
                yield entry
                entry, keyword = Entry(), ""
            entry.raw.append(raw)
            if not kind:
                yield entry
                entry = Entry()
            elif kind.startswith(b"#"):
                if kind.startswith(b"#,"):
                    said = kind[2:].decode(self.codec, "replace")
                    entry.flags += [flag.strip() for flag in said.split(",") if flag.strip()]
            elif entry.fault is None:
                keyword = self._read(entry, bare, keyword, number)
                found = found or entry.fault is None
            if entry.fault is not None and not found:
                raise DataError(f"`{self.name}` is no PO file. {entry.fault}")
        if entry.raw:
            yield entry

    def _read(self, entry: Entry, raw: bytes, keyword: str, number: int) -> str:
        """Take a line into an entry; the keyword that the next one may go on with."""
        entry.line = entry.line or number
        try:
            line = raw.decode(self.codec).strip()
        except UnicodeDecodeError as error:
            entry.fault = f"Line {number} is not {self.codec}: {error.reason}."
            return keyword
        named = _KEYWORD.match(line)
        if named is not None:
            keyword, line = named[1], named[3]
            if keyword in entry.texts:
                entry.fault = f"Line {number} has a second {keyword}."
        elif not keyword:
            entry.fault = f"Line {number} is no part of an entry: {line[:60]!r}."
        parts, done = [], 0
        for one in _QUOTED.finditer(line):
            if one.start() != done:
                break
            parts.append(one[1])
            done = one.end()
        if entry.fault is None and (done != len(line) or not parts):
            entry.fault = f"Line {number} must be a text in quotation marks, got {line[:60]!r}."
        if entry.fault is None:
            entry.texts[keyword] = entry.texts.get(keyword, "") + unescaped("".join(parts))
        return keyword


def unescaped(text: str) -> str:
    """A text without the escapes of C strings."""
    if "\\" not in text:
        return text

    def character(match: re.Match[str]) -> str:
        said = match[1]
        if said[0] == "x" and len(said) > 1:
            return chr(int(said[1:], 16))
        if said[0] in "01234567":
            return chr(int(said, 8))
        return _ESCAPED.get(said, match[0])

    return _ESCAPE.sub(character, text)


def fields_of_header(text: str) -> dict[str, str]:
    """The fields of a header entry's translation."""
    pairs = (line.partition(":") for line in text.split("\n"))
    return {name.strip(): value.strip() for name, _, value in pairs if value}
