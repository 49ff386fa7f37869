"""Text where an encoding lacks characters: it is shown with signs in their places, and never fails.

Signs are as wide as what they stand for, so that columns and marks below a text stay in place.
"""

import codecs
import io
import sys
import unicodedata

_ERRORS = "headwise.readable"
_SIGNS = {
    **dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}\N{NON-BREAKING HYPHEN}━─", "-"),
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{PRIME}", "'"),
    "≈": "~",
    "↓": "v",
    "→": ">",
    "·": "|",
    "•": "*",
    "…": ".",
    "\N{MULTIPLICATION SIGN}": "x",
    "█": "#",
    "‸": "_",
    "∞": "inf",
    "\N{NO-BREAK SPACE}": " ",
}
_UNKNOWN = "?"


def readable(text: str, encoding: str) -> str:
    """The text as far as an encoding has its characters, with signs for the others."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode(encoding, _ERRORS).decode(encoding)
    return text


def make_streams_readable() -> None:
    """Let standard output and error show signs instead of failing, unless told what to do else."""
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        # In a C locale Python writes names of files back as the bytes that they were
        escapes = stream.errors == "surrogateescape" and stream.encoding.lower() != "utf-8"
        if stream.errors == "strict" or escapes:
            stream.reconfigure(errors=_ERRORS)


def _signs(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_sign, error.object[error.start : error.end])), error.end


def _sign(character: str) -> str:
    if character in _SIGNS:
        return _SIGNS[character]
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):  # of no width
        return ""
    return _UNKNOWN * (2 if unicodedata.east_asian_width(character) in "WF" else 1)


codecs.register_error(_ERRORS, _signs)
