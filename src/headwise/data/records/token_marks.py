"""Error marks of a text as marks of its tokens."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from headwise.data.records.error_spans import (
    ErrorSpan,
    Range,
    is_marked,
    marked_ranges,
    missing_places,
)
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.word_tags import WordTags

# What readers count beside the marks: omissions that are marked in the source, or nowhere
_PLACELESS = ("source_marks", "missing_marks")


def is_missing_somewhere(extra: Mapping[str, Any] | None) -> bool:
    """Whether the other columns of a row count marks of missing text that has no known place."""
    return any((extra or {}).get(name) for name in _PLACELESS)


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
    """Place marks of a text, gaps among them, on its T tokens, ``(start, end)`` each, in order."""
    errors = tuple(errors)
    marked = marked_ranges(errors, text)
    missing = missing_marks(ranges, missing_places(errors))
    wrong = tuple(
        gap or is_marked(place, marked) for place, gap in zip(ranges, missing[:-1], strict=True)
    )
    return TokenMarks(wrong, missing)


def known_marks(ranges: Sequence[Range], unsure: Sequence[Range]) -> TokenMarks:
    """Of which of T tokens, and of which places around them, it is known what they are.

    A token with a character of an ``unsure`` range is not known; nor is the place before the token
    that has an empty one in front of it. What follows such a place is a word that is known.
    """
    wide = [place for place in unsure if place[0] < place[1]]
    doubtful = missing_marks(ranges, (start for start, end in unsure if start == end))
    return TokenMarks(
        tuple(not is_marked(place, wide) for place in ranges), tuple(not gap for gap in doubtful)
    )


def missing_marks(ranges: Sequence[Range], places: Iterable[int]) -> tuple[bool, ...]:
    """Whether something is missing right before each of T tokens, and after the last: T + 1 values.

    Tokens are ``(start, end)`` ranges in order; places, characters in front of which something is
    missing, or the length of the text. Such a gap belongs to the first token that has a character
    behind it: the one that follows, or the one that it stands in. All others stand after the last
    token.
    """
    ends = [end for _, end in ranges]
    found = {bisect_right(ends, place) for place in places}
    return tuple(number in found for number in range(len(ranges) + 1))


def has_error(text: Pair | ScoredHypothesis) -> bool:
    """Whether people found anything wrong with a text, what is missing in it included.

    That is a marked character, a gap, a tag that calls a word or a gap wrong, or a mark that has
    no place in the text (``source_marks`` and ``missing_marks`` of its row).
    """
    errors = text.errors or ()
    tagged = text.tags is not None and (any(text.tags.bad) or any(text.tags.bad_gaps or ()))
    placeless = is_missing_somewhere(text.extra)
    marked = marked_ranges(errors, text.hypothesis) or missing_places(errors)
    return bool(marked) or tagged or placeless


def tagged_places(tags: WordTags, text: str) -> tuple[int, ...]:
    """Where word tags of a text say that something is missing; nothing if nobody looked."""
    starts = (*(start for start, _ in tags.ranges), len(text))
    gaps = tags.bad_gaps or (False,) * len(starts)
    return tuple(start for start, bad in zip(starts, gaps, strict=True) if bad)
