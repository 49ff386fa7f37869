"""Marks of people that say of each word of a text whether it is right."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from headwise.data.records.error_spans import ErrorSpan, annotation_row, read_annotations
from headwise.data.records.json_values import expect
from headwise.data.records.tagged_words import (
    align_words,
    listed_tags,
    parse_tags,
    spaced_words,
)
from headwise.errors import InputError

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class WordTags:
    """The words of a text as its annotators cut it, and which of them are wrong.

    Attributes:
        ranges: ``(start, end)`` of each of the W words, in Unicode code points, in order.
        bad: Whether each word is wrong, W values.
        bad_gaps: Whether a word is missing before each word, and after the last one: W + 1
            values. ``None`` if nobody looked.
    """

    ranges: Ranges
    bad: tuple[bool, ...]
    bad_gaps: tuple[bool, ...] | None = None

    def __post_init__(self) -> None:
        words = len(self.ranges)
        for name, values, wanted, of in (
            ("bad", self.bad, words, "words"),
            ("bad_gaps", self.bad_gaps, words + 1, "gaps"),
        ):
            if values is not None and len(values) != wanted:
                raise ValueError(
                    f"`{name}` must have one value for each of the {wanted} {of}, got "
                    f"{len(values)}."
                )

    @property
    def errors(self) -> tuple[ErrorSpan, ...]:
        """The wrong words as error spans of category ``BAD``."""
        words = zip(self.ranges, self.bad, strict=True)
        return tuple(ErrorSpan(*word, category="BAD") for word, bad in words if bad)

    def as_dict(self) -> dict[str, Any]:
        """The tags for JSON; 1 is wrong, 0 is right."""
        row: dict[str, Any] = {
            "words": [list(word) for word in self.ranges],
            "bad": [int(bad) for bad in self.bad],
        }
        if self.bad_gaps is not None:
            row["bad_gaps"] = [int(bad) for bad in self.bad_gaps]
        return row


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


def marks_row(errors: Iterable[ErrorSpan] | None, tags: WordTags | None) -> dict[str, Any]:
    """The columns that hold what people said of a text; none where nobody looked."""
    row: dict[str, Any] = {}
    if errors is not None:
        row["annotations"] = [annotation_row(span) for span in errors]
    if tags is not None:
        row["word_tags"] = tags.as_dict()
    return row


def read_word_tags(tags: object, hypothesis: str) -> WordTags | None:
    """Check tags that stand in a row, as :meth:`WordTags.as_dict` writes them.

    They are an object with ``words`` (a list of ``[start, end]``, character offsets into the
    hypothesis, the end exclusive; or the words themselves), ``bad`` (0 or 1 for each word) and, if
    known, ``bad_gaps`` (0 or 1 for each gap, those before the first and after the last word
    included). Or they are ``OK`` and ``BAD`` of the words between ASCII spaces, or of gaps and
    words in turn (:func:`place_tags`), as a list or with spaces between. ``None`` if nobody looked.

    Raises:
        InputError: If they are something else, or reach out of the hypothesis.
    """
    if tags is None:
        return None
    if isinstance(tags, (str, list)):
        try:
            flags = parse_tags(tags) if isinstance(tags, str) else listed_tags(tags)
            return place_tags(flags, tuple(align_words(spaced_words(hypothesis), hypothesis)))
        except ValueError as error:
            raise InputError(f"In `word_tags`: {error}") from None
    if not isinstance(tags, dict) or not {"words", "bad"} <= set(tags):
        raise InputError(
            "`word_tags` must be a list of OK and BAD, or an object with `words` and `bad`."
        )
    words, gaps = expect(tags["words"], list, "`words` of `word_tags`"), tags.get("bad_gaps")
    ranges = _ranges(words, hypothesis)
    for number, (start, end) in enumerate(ranges, start=1):
        if not 0 <= start < end <= len(hypothesis):
            raise InputError(
                f"Word {number} of `word_tags` has the characters from {start} to {end} of a "
                f"hypothesis that has {len(hypothesis)}; 0 <= start < end <= {len(hypothesis)} "
                "must hold."
            )
    for number, (left, right) in enumerate(pairwise(ranges), start=2):
        if left[1] > right[0]:
            raise InputError(f"Word {number} of `word_tags` begins inside the word before it.")
    bad = _flags(tags["bad"], "bad")
    try:
        return WordTags(ranges, bad, None if gaps is None else _flags(gaps, "bad_gaps"))
    except ValueError as error:
        raise InputError(f"In `word_tags`, {error}") from None


def read_marks(
    annotations: object, tags: object, hypothesis: str
) -> tuple[tuple[ErrorSpan, ...] | None, WordTags | None]:
    """Check all that people said of a text; wrong words are its errors if it has no other marks.

    Raises:
        InputError: As of :func:`read_annotations` and :func:`read_word_tags`.
    """
    errors, tagged = read_annotations(annotations, hypothesis), read_word_tags(tags, hypothesis)
    return (tagged.errors if errors is None and tagged is not None else errors), tagged


def _ranges(words: list[Any], hypothesis: str) -> Ranges:
    if words and all(isinstance(word, str) for word in words):
        try:
            return tuple(align_words(words, hypothesis))
        except ValueError as error:
            raise InputError(f"In `word_tags`: {error}") from None
    return tuple(_range(word, number) for number, word in enumerate(words, start=1))


def _range(word: object, number: int) -> tuple[int, int]:
    if not (
        isinstance(word, list)
        and len(word) == 2
        and all(type(offset) is int for offset in word)  # true and false are no offsets
    ):
        raise InputError(f"Word {number} of `word_tags` must be [start, end], got {word!r}.")
    return word[0], word[1]


def _flags(values: object, name: str) -> tuple[bool, ...]:
    try:
        return listed_tags(expect(values, list, f"`{name}` of `word_tags`"))
    except ValueError:
        raise InputError(f"`{name}` of `word_tags` must be a list of 0 and 1.") from None
