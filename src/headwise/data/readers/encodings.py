"""Text that is not UTF-8: how it is known, and read as if it were."""

import codecs
import io
import logging
from typing import BinaryIO, cast

from headwise.errors import DataError

logger = logging.getLogger(__name__)

# In this order: the mark of UTF-32 begins with that of UTF-16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OTHER_KINDS = (
    (b"PK\x03\x04", "a ZIP archive, as spreadsheets are; if it is one, name it .xlsx"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet of an old kind; save it as .xlsx or .csv"),
    (b"\x1f\x8b", "packed with gzip; name it .gz"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd; unpack it first"),
    (b"BZh", "packed with bzip2; unpack it first"),
    (b"\xfd7zXZ\x00", "packed with xz; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"%PDF-", "a PDF; copy its text into a file"),
    (b"PAR1", "Parquet; name it .parquet"),
)
_BLOCK_BYTES = 2**16
_ERRORS = "headwise.surrogates"


def as_utf8(stream: BinaryIO, name: str, encoding: str | None) -> BinaryIO:
    r"""The same text in UTF-8.

    Without an ``encoding``, UTF-8 and UTF-16 are told apart, UTF-32 by its mark; and lines that end
    in ``\r`` alone, as Excel still writes them for Macintosh computers, end in ``\n``. What cannot
    be decoded becomes lone surrogates, which UTF-8 does not allow, so that its line is known to be
    bad.

    Args:
        stream: Not read yet.
        name: What it is called in errors.
        encoding: A name that Python knows.

    Raises:
        DataError: If Python does not know the encoding, the text begins with the mark of another
            one, or the file is of a kind that is no text.
    """
    if not hasattr(stream, "peek"):
        stream = io.BufferedReader(cast(io.RawIOBase, stream))
    start = cast(io.BufferedReader, stream).peek(_BLOCK_BYTES)
    for magic, what in _OTHER_KINDS:
        if start.startswith(magic):
            raise DataError(f"`{name}` is {what}.")
    chosen = None if encoding is None else _codec(encoding)
    found = _marked(start)
    if found is None and chosen in (None, "utf-16"):  # which does not say the order of bytes
        found = _unmarked(start) or (chosen and "utf-16-le")
    elif found is None and chosen == "utf-32":
        found = "utf-32-be" if start.startswith(b"\0") else "utf-32-le"
    if chosen is not None and found is not None and not found.startswith(chosen):
        raise DataError(
            f"`{name}` begins with the mark of {found}, and --encoding says {encoding}; leave it "
            "out."
        )
    codec = found or chosen or "utf-8"
    # Line ends inside quoted cells may be of the other kind
    outside = b"".join(start.split(b'"')[::2])
    ends_in_returns = b"\r" in outside.rstrip(b"\r\0") and b"\n" not in outside
    if codec == "utf-8" and not ends_in_returns:
        return stream
    if codec != "utf-8" and chosen is None:
        logger.info("`%s` is %s, and is read so.", name, codec)
    decoded = _Decoded(stream, codec, returns=ends_in_returns)
    return cast(BinaryIO, _Recoded(decoded, codec))


def _codec(encoding: str) -> str:
    try:
        codec = codecs.lookup(encoding)
        if not codec._is_text_encoding or codec.incrementaldecoder is None:
            raise LookupError
    except (LookupError, ValueError):
        raise DataError(
            f"--encoding must be an encoding that Python knows, such as utf-8, utf-16, cp1252, "
            f"latin-1, gb18030 or shift_jis; got {encoding!r}."
        ) from None
    return "utf-8" if codec.name in ("utf-8", "utf-8-sig") else codec.name


def _marked(start: bytes) -> str | None:
    return next((codec for mark, codec in _MARKS if start.startswith(mark)), None)


def _unmarked(start: bytes) -> str | None:
    """UTF-16 that no mark begins: of its tabs and line ends every first or second byte is zero."""
    zeros = [start[place::2].count(0) for place in (0, 1)]
    if min(zeros) > 0 or max(zeros) < 2:
        return None
    codec = "utf-16-be" if zeros[0] else "utf-16-le"
    text = start[: len(start) // 2 * 2].decode(codec, "replace")
    return codec if "\n" in text or "\t" in text else None


class _Decoded(io.RawIOBase):
    """Bytes of UTF-8 made of a stream in another encoding."""

    def __init__(self, stream: BinaryIO, codec: str, *, returns: bool) -> None:
        self._stream = cast(io.BufferedReader, stream)
        self._decoder = codecs.getincrementaldecoder(codec)(_ERRORS)
        self._returns = returns
        self._ended = False
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._ready and not self._ended:
            block = self._stream.read1(_BLOCK_BYTES)
            self._ended = not block
            text = self._decoder.decode(block, final=self._ended)
            if self._returns:
                text = text.replace("\r", "\n")
            self._ready = text.encode("utf-8", "surrogatepass")
        ready, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(ready)] = ready
        return len(ready)


class _Recoded(io.BufferedReader):
    """A stream of UTF-8 that knows what it was."""

    def __init__(self, decoded: io.RawIOBase, encoding: str) -> None:
        super().__init__(decoded, _BLOCK_BYTES)
        self.encoding = encoding


def _surrogates(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in bad), error.end


codecs.register_error(_ERRORS, _surrogates)
