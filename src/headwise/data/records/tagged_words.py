"""Tags of words, and the place of tagged words in a text that was not cut into words."""

from collections.abc import Sequence

from headwise.data.records.error_spans import Range

_IS_BAD: dict[str | int, bool] = {"OK": False, "BAD": True, 0: False, 1: True}
_SHOWN_CHARACTERS = 20


def spaced_words(text: str) -> list[str]:
    """The words of a text between ASCII spaces; any other white space is part of a word."""
    return [word for word in text.split(" ") if word]


def align_words(words: Sequence[str], text: str) -> list[tuple[int, int]]:
    """Find the words of a tokenised text in the text before it was tokenised.

    Args:
        words: The words in order. All of them together must be the text, but for white space and
            the case of letters, which corpora change when they tokenise.
        text: The text, tokenised or not.

    A word that is nothing but white space, such as a no-break space between two spaces, must stand
    in the text as it is.

    Returns:
        ``(start, end)`` of each word in the text, in Unicode code points.

    Raises:
        ValueError: If the two differ in more than that, saying where, or a word is empty.
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
        if [text[place].casefold() for place in here] != [one.casefold() for one in letters]:
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
    return listed_tags(line.split())


def listed_tags(tags: Sequence[object]) -> tuple[bool, ...]:
    """Whether each tag is ``BAD`` or 1; others are ``OK`` or 0.

    Raises:
        ValueError: If a tag is another one.
    """
    flags = [_IS_BAD.get(tag) if isinstance(tag, (str, int)) else None for tag in tags]
    for number, (tag, flag) in enumerate(zip(tags, flags, strict=True), start=1):
        if flag is None:
            raise ValueError(f"Tag {number} must be OK or BAD, got {tag!r}.")
    return tuple(bool(flag) for flag in flags)


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
