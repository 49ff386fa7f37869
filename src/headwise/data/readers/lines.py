r"""Lines of UTF-8 text, read from bytes so that one bad line does not spoil the others.

Only ``\n`` and ``\r\n`` end a line. A text may hold other characters that Unicode calls line
breaks (U+0085, U+2028, ...), and splitting there would shift every row after it.
"""

import codecs
import zlib
from collections.abc import Iterable, Iterator
from io import BufferedReader
from itertools import chain
from typing import BinaryIO, TypeVar, cast

from headwise.data.records.pairs import Reject
from headwise.errors import DataError

T = TypeVar("T")

Line = tuple[int, str | Reject]
"""A line's number, counted from 1, and its text without the line end, or why there is none."""

# A text of this length fits no model; without a limit, a file of another kind would fill memory
MAX_LINE_BYTES = 16 * 2**20

_SHOWN_BYTES = 200
_BLOCK_BYTES = 2**18


def numbered_lines(stream: BinaryIO, name: str) -> Iterator[Line]:
    """Every line of a stream; a reject is what is not UTF-8, or longer than ``MAX_LINE_BYTES``.

    A byte order mark at the start is dropped.

    Raises:
        DataError: If the stream is damaged.
    """
    return chain.from_iterable(enumerate(lines, first) for first, lines in _blocks(stream, name))


def content_lines(stream: BinaryIO, name: str) -> Iterator[Line]:
    """As :func:`numbered_lines`, without empty lines as :func:`without_empty` leaves them out."""
    blocks = _blocks(stream, name)
    for first, lines in blocks:
        if "" in lines:
            rest = chain.from_iterable(enumerate(later, number) for number, later in blocks)
            yield from without_empty(chain(enumerate(lines, first), rest))
        else:
            yield from enumerate(lines, first)


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


def _blocks(stream: BinaryIO, name: str) -> Iterator[tuple[int, list[str | Reject]]]:
    """Lines as they come from the stream, many at a time, and the number of the first of them."""
    # What there is, without waiting for more: whoever writes to a pipe may take their time
    read = cast(BufferedReader, stream).read1
    encoding = getattr(stream, "encoding", None)
    done, rest = 0, b""
    try:
        while block := read(_BLOCK_BYTES):
            end = block.rfind(b"\n") + 1
            if end:
                lines = _lines(rest + block[:end], done + 1, encoding)
                yield done + 1, lines
                done += len(lines)
                rest = block[end:]
            else:
                rest += block
            if len(rest) >= MAX_LINE_BYTES:
                done += 1
                yield done, [_too_long(done, rest)]
                rest = b""
                while block := read(_BLOCK_BYTES):
                    if end := block.find(b"\n") + 1:
                        rest = block[end:]
                        break
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"`{name}` cannot be read past line {done}: {error}.") from error
    if rest:
        lines = _lines(rest + b"\n", done + 1, encoding)
        if rest.endswith(b"\r") and isinstance(last := lines[-1], str):
            lines[-1] = f"{last}\r"  # half of a line end is text
        yield done + 1, lines if not rest.endswith(b"\n") else lines[:-1]


def _lines(block: bytes, first: int, encoding: str | None) -> list[str | Reject]:
    """The lines of a block, which ends with a line end."""
    if first == 1:
        block = block.removeprefix(codecs.BOM_UTF8)
    try:
        # All at once, which is quick; a bad line is looked for only if there is one
        text = block.decode()
    except UnicodeDecodeError:
        text = ""
    if not text or len(block) > MAX_LINE_BYTES:
        return [
            _line(number, raw, encoding)
            for number, raw in enumerate(block.split(b"\n")[:-1], start=first)
        ]
    lines: list[str | Reject] = list(text.split("\n"))
    del lines[-1]
    return [cast(str, line).removesuffix("\r") for line in lines] if "\r" in text else lines


def _line(number: int, raw: bytes, encoding: str | None) -> str | Reject:
    if len(raw) >= MAX_LINE_BYTES:
        return _too_long(number, raw)
    raw = raw.removesuffix(b"\r")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        return _undecodable(number, raw, error, encoding)


def _undecodable(
    number: int, raw: bytes, error: UnicodeDecodeError, encoding: str | None
) -> Reject:
    if encoding is not None:  # what cannot be decoded has become surrogates
        text = raw.decode("utf-8", "surrogatepass")
        reason = f"The line holds bytes that are not {encoding}; name another one with --encoding."
        return Reject(number, reason, text.encode("utf-8", "backslashreplace").decode())
    reason = (
        f"Byte 0x{raw[error.start]:02x} at position {error.start + 1} of the line is not "
        "UTF-8; save the text as UTF-8, or name its encoding with --encoding."
    )
    return Reject(number, reason, raw.decode("utf-8", "backslashreplace"))


def _too_long(number: int, raw: bytes) -> Reject:
    return Reject(
        number,
        f"The line is longer than {MAX_LINE_BYTES:,} bytes; split the text.",
        raw[:_SHOWN_BYTES].decode("utf-8", "backslashreplace") + " ...",
    )
