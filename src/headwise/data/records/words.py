"""Word boundaries of Unicode text."""

from itertools import pairwise

import regex

# With the WORD flag, \b is the default word boundary of Unicode Standard Annex #29, which also
# splits text in scripts that put no spaces between words.
_BOUNDARY = regex.compile(r"\b", flags=regex.WORD | regex.V1)


def word_ranges(text: str) -> list[tuple[int, int]]:
    """``(start, end)`` of each word and punctuation mark of a text, in order, in code points.

    Scripts without spaces are split too: Chinese and Hiragana by character, Katakana by run.
    Nothing here knows a dictionary.

    References:
        Unicode Standard Annex #29, section 4 (default word boundaries).
    """
    cuts = [0, *(match.start() for match in _BOUNDARY.finditer(text)), len(text)]
    return [
        (start, end)
        for start, end in pairwise(cuts)
        if start < end and not text[start:end].isspace()
    ]
