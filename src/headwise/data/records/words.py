"""Word boundaries of Unicode text."""

from itertools import pairwise

import regex

# With the WORD flag, \b is the default word boundary of Unicode Standard Annex #29, which also
# splits text in scripts that put no spaces between words.
_BOUNDARY = regex.compile(r"\b", flags=regex.WORD | regex.V1)


def word_ranges(text: str) -> list[tuple[int, int]]:
    """Character ranges of the words of a text, punctuation marks included, spaces left out.

    Args:
        text: Any text. Scripts without spaces are split too: Chinese and Hiragana by character,
            Katakana by run. Nothing here knows a dictionary.

    Returns:
        ``(start, end)`` pairs in order, in Unicode code points.

    References:
        Unicode Standard Annex #29, section 4 (default word boundaries).
    """
    cuts = [0, *(match.start() for match in _BOUNDARY.finditer(text)), len(text)]
    return [
        (start, end)
        for start, end in pairwise(cuts)
        if start < end and not text[start:end].isspace()
    ]
