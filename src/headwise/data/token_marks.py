"""Error marks of a text as marks of its tokens."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from headwise.data.error_spans import (
    ErrorSpan,
    Range,
    is_marked,
    marked_ranges,
    missing_places,
)
from headwise.data.word_tags import WordTags


class TokenMarks(NamedTuple):
    """What is wrong with the T tokens of a text.

    Attributes:
        wrong: Whether each token holds a marked character, or is the first one after a gap,
            where a reader stumbles; T values.
        missing: Whether something is missing right before each token, and after the last one;
            T + 1 values.
    """

    wrong: tuple[bool, ...]
    missing: tuple[bool, ...]


def token_marks(ranges: Sequence[Range], errors: Iterable[ErrorSpan], text: str) -> TokenMarks:
    """Place marks, gaps among them, on tokens.

    Args:
        ranges: ``(start, end)`` of the characters of each of the T tokens, in order.
        errors: Marks of the text.
        text: What they mark.
    """
    errors = tuple(errors)
    marked = marked_ranges(errors, text)
    missing = missing_marks(ranges, missing_places(errors))
    wrong = tuple(
        gap or is_marked(place, marked) for place, gap in zip(ranges, missing[:-1], strict=True)
    )
    return TokenMarks(wrong, missing)


def missing_marks(ranges: Sequence[Range], places: Iterable[int]) -> tuple[bool, ...]:
    """Place gaps on tokens.

    A gap belongs to the first token that has a character behind it: the one that follows, or the
    one that it stands in. All others stand after the last token.

    Args:
        ranges: ``(start, end)`` of the characters of each of the T tokens, in order.
        places: Characters of the text in front of which something is missing, or its length.

    Returns:
        Whether something is missing right before each token, and after the last one; T + 1
        values.
    """
    ends = [end for _, end in ranges]
    found = {bisect_right(ends, place) for place in places}
    return tuple(number in found for number in range(len(ranges) + 1))


def tagged_places(tags: WordTags, text: str) -> tuple[int, ...]:
    """Where word tags say that something is missing; nothing if nobody looked.

    Args:
        tags: Tags of the text.
        text: What they tag.
    """
    starts = (*(start for start, _ in tags.ranges), len(text))
    gaps = tags.bad_gaps or (False,) * len(starts)
    return tuple(start for start, bad in zip(starts, gaps, strict=True) if bad)
