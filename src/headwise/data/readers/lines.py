r"""Lines of UTF-8 text, read from bytes so that one bad line does not spoil the others.

Only ``\n`` and ``\r\n`` end a line. A text may hold other characters that Unicode calls line
breaks (U+0085, U+2028, ...), and splitting there would shift every row after it.
"""

import codecs
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, TypeVar

from headwise.data.records.pairs import Reject
from headwise.errors import DataError

T = TypeVar("T")

Line = tuple[int, str | Reject]
"""A line's number, counted from 1, and its text without the line end, or why there is none."""

# A text of this length fits no model; without a limit, a file of another kind would fill memory
MAX_LINE_BYTES = 16 * 2**20

_SHOWN_BYTES = 200


def numbered_lines(stream: BinaryIO, name: str) -> Iterator[Line]:
    """Every line of a stream; a reject is what is not UTF-8, or longer than ``MAX_LINE_BYTES``.

    A byte order mark at the start is dropped.

    Raises:
        DataError: If the stream is UTF-16 or damaged.
    """
    number = 0
    try:
        while raw := stream.readline(MAX_LINE_BYTES):
            number += 1
            if number == 1:
                _refuse_utf16(raw, name)
                raw = raw.removeprefix(codecs.BOM_UTF8)
            if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
                while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                    pass
                yield number, _too_long(number, raw)
                continue
            if raw.endswith(b"\n"):
                raw = raw[:-2] if raw.endswith(b"\r\n") else raw[:-1]
            try:
                yield number, raw.decode()
            except UnicodeDecodeError as error:
                yield number, _not_utf8(number, raw, error)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"`{name}` cannot be read past line {number}: {error}.") from error


def without_empty(lines: Iterable[tuple[int, T]]) -> Iterator[tuple[int, T | Reject]]:
    """Lines without the empty ones, ``""``, at the end; elsewhere, these are rejects."""
    empty_since = 0
    for number, line in lines:
        if line == "":
            empty_since = empty_since or number
            continue
        if empty_since:
            for skipped in range(empty_since, number):
                reason = "The line is empty; remove it, or fill in its columns."
                yield skipped, Reject(skipped, reason, "")
            empty_since = 0
        yield number, line


def text_lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """Every line with its number, where a line that cannot be read leaves nothing to go on with.

    Raises:
        DataError: If a line is not UTF-8 or too long.
    """
    for number, line in numbered_lines(stream, name):
        if isinstance(line, Reject):
            raise DataError(f"Line {number} of `{name}`: {line.reason}")
        yield number, line


def _not_utf8(number: int, raw: bytes, error: UnicodeDecodeError) -> Reject:
    reason = (
        f"Byte 0x{raw[error.start]:02x} at position {error.start + 1} of the line is not "
        "UTF-8; save the text as UTF-8."
    )
    return Reject(number, reason, raw.decode("utf-8", "backslashreplace"))


def _too_long(number: int, raw: bytes) -> Reject:
    return Reject(
        number,
        f"The line is longer than {MAX_LINE_BYTES:,} bytes; split the text.",
        raw[:_SHOWN_BYTES].decode("utf-8", "backslashreplace") + " ...",
    )


def _refuse_utf16(raw: bytes, name: str) -> None:
    # Without a mark, every second byte of its first Latin letters gives it away
    unmarked = (raw[:4:2] == b"\0\0") != (raw[1:4:2] == b"\0\0")
    if unmarked or raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(f"`{name}` is UTF-16; save it as UTF-8.")
