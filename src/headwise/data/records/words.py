"""Word boundaries of Unicode text; placeholders and tags are no words."""

from itertools import pairwise

import regex

from headwise.data.records.placeholders import is_inside, placeholder_ranges

# With the WORD flag, \b is the default word boundary of Unicode Standard Annex #29, which also
# splits text in scripts that put no spaces between words.
_BOUNDARY = regex.compile(r"\b", flags=regex.WORD | regex.V1)


def word_ranges(text: str) -> list[tuple[int, int]]:
    """``(start, end)`` of each word and punctuation mark of a text, in order, in code points.

    Scripts without spaces are split too: Chinese and Hiragana by character, Katakana by run.
    Nothing here knows a dictionary. Placeholders and tags
    (:mod:`~headwise.data.records.placeholders`) are left out, and end the words beside them.

    References:
        Unicode Standard Annex #29, section 4 (default word boundaries).
    """
    cuts = [0, *(match.start() for match in _BOUNDARY.finditer(text)), len(text)]
    if placeholders := placeholder_ranges(text):
        cuts = sorted({*cuts, *(edge for both in placeholders for edge in both)})
    return [
        (start, end)
        for start, end in pairwise(cuts)
        if start < end
        and not text[start:end].isspace()
        and not is_inside(start, end, text, placeholders)
    ]
