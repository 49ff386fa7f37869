"""Tags of words, and the place of tagged words in a text that was not cut into words."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from headwise.data.readers.lines import text_lines
from headwise.data.readers.opening import open_bytes
from headwise.data.records.error_spans import Range
from headwise.data.records.word_tags import Ranges, WordTags
from headwise.errors import DataError

_IS_BAD = {"OK": False, "BAD": True}


_SHOWN_CHARACTERS = 20


def spaced_words(text: str) -> list[str]:
    """The words of a text between ASCII spaces; any other white space is part of a word."""
    return [word for word in text.split(" ") if word]


def align_words(words: Sequence[str], text: str) -> list[tuple[int, int]]:
    """Find the words of a tokenised text in the text before it was tokenised.

    Args:
        words: The words in order. All of them together must be the text, but for white space.
        text: The text, tokenised or not.

    A word that is nothing but white space, such as a no-break space between two spaces, must stand
    in the text as it is.

    Returns:
        ``(start, end)`` of each word in the text, in Unicode code points.

    Raises:
        ValueError: If the two differ in more than white space, saying where, or a word is empty.
    """
    places = [place for place, character in enumerate(text) if not character.isspace()]
    ranges: list[tuple[int, int]] = []
    done = 0
    for number, word in enumerate(words, start=1):
        letters = "".join(word.split())
        if not letters:
            ranges.append(_white_word(word, number, text, places, done, ranges))
            continue
        here = places[done : done + len(letters)]
        if [text[place] for place in here] != list(letters):
            raise ValueError(
                f"Word {number}, {word!r}, is not what the text goes on with: "
                f"{_rest(text, places, done)}."
            )
        ranges.append((here[0], here[-1] + 1))
        done += len(letters)
    if done < len(places):
        raise ValueError(
            f"After the last of the {len(words)} words, the text goes on with "
            f"{_rest(text, places, done)}."
        )
    return ranges


def parse_tags(line: str) -> tuple[bool, ...]:
    """Whether each tag of a line is ``BAD``; others are ``OK``, and white space stands between.

    Raises:
        ValueError: If a tag is another one.
    """
    tags = line.split()
    for number, tag in enumerate(tags, start=1):
        if tag not in _IS_BAD:
            raise ValueError(f"Tag {number} must be OK or BAD, got {tag!r}.")
    return tuple(_IS_BAD[tag] for tag in tags)


def place_tags(tags: Sequence[bool], ranges: Ranges) -> WordTags:
    """Say which of W words and of the W + 1 gaps around them each tag belongs to.

    Tags say whether each word is wrong, W values; or they are 2 W + 1 values, which begin with the
    gap before the first word, end with the one after the last word, and alternate.

    Raises:
        ValueError: If there are more or fewer tags.

    References:
        Fomicheva et al. 2022, arXiv 2010.04480 (MLQE-PE), for the order of gaps and words.
    """
    words = len(ranges)
    if len(tags) == words:
        return WordTags(ranges, tuple(tags))
    if len(tags) == 2 * words + 1:
        return WordTags(ranges, tuple(tags[1::2]), tuple(tags[::2]))
    raise ValueError(
        f"{words} words need {words} tags, or {2 * words + 1} with those of the gaps around them; "
        f"there are {len(tags)}."
    )


def read_tags(path: str | Path) -> Iterator[tuple[bool, ...]]:
    """Read a file with the tags of one text a line, ``.gz`` or not.

    Yields:
        Whether each tag of a line is ``BAD``.

    Raises:
        DataError: If the file is missing or damaged, or a tag is another one, with its line.
    """
    with open_bytes(path) as stream:
        for number, line in text_lines(stream, str(path)):
            try:
                yield parse_tags(line)
            except ValueError as error:
                raise DataError(f"Line {number} of `{path}`: {error}") from None


def _white_word(
    word: str, number: int, text: str, places: Sequence[int], done: int, before: Sequence[Range]
) -> Range:
    """Where a word that is white space itself, such as a no-break space, stands in the text."""
    after = places[done] if done < len(places) else len(text)
    start = -1 if word.isascii() else text.find(word, before[-1][1] if before else 0, after)
    if start < 0:
        raise ValueError(f"Word {number} is empty.")
    return start, start + len(word)


def _rest(text: str, places: Sequence[int], done: int) -> str:
    if done >= len(places):
        return "nothing"
    start = places[done]
    return f"{text[start : start + _SHOWN_CHARACTERS]!r} (character {start})"
