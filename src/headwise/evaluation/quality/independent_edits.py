"""What somebody gets wrong who types, translates or edits: one edit a kind, at a word of a text.

Words are what stands between spaces, with the punctuation that they bring. Nothing here knows a
language: what may be right all the same (a slip that is a word of the corpus, a capital that the
corpus has within sentences) is not made.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import regex

from headwise.data.records.error_spans import Range

# A character of a script without spaces is a word, as is what stands between spaces elsewhere
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}"
_WORD = regex.compile(rf"[{_UNSPACED}]\p{{P}}*|[^\s{_UNSPACED}]+")
_LETTERS = regex.compile(r"\p{L}[\p{L}\p{M}]*")
_MARK = regex.compile(r"(?<=\w)[.,;:?!]")
_FEWEST_LETTERS = 4
# No `!` for `.` or the other way round: that is often a matter of taste
_WRONG_MARKS = {".": ",;:?", "!": ",;:?", "?": ".,;:", ",": ".;:?", ";": "?!", ":": "?!,"}


def words_of(text: str) -> tuple[Range, ...]:
    """Where the words of a text stand."""
    return tuple(match.span() for match in _WORD.finditer(text))


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters from ``start`` to ``end`` become ``text``, of which ``wrong`` ranges are wrong."""

    start: int
    end: int
    text: str
    wrong: tuple[Range, ...]


class RightWords:
    """What is known of right texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._found = [[text[slice(*place)] for place in words_of(text)] for text in texts]
        self.running = [word for words in self._found for word in words]

    @cached_property
    def known(self) -> frozenset[str]:
        """Every word without its punctuation."""
        return frozenset(form for word in self.running for form in _LETTERS.findall(word))

    @cached_property
    def letters(self) -> tuple[str, ...]:
        """Every letter that the words have, in lower case."""
        return tuple(sorted({letter for form in self.known for letter in form.lower()}))

    @cached_property
    def known_within(self) -> frozenset[str]:
        """Those that stand behind another word which ends no sentence."""
        return frozenset(
            form
            for words in self._found
            for before, word in pairwise(words)
            if before[-1].isalnum() or before[-1] == ","
            for form in _LETTERS.findall(word)
        )

    @cached_property
    def alike(self) -> Mapping[str, Sequence[str]]:
        """Words by what is left of them without one of their letters, or with all."""
        found = defaultdict(list)
        for form in sorted(self.known):
            for rest in _without_a_letter(form):
                found[rest].append(form)
        return found


def _without_a_letter(form: str) -> Iterator[str]:
    yield from dict.fromkeys((form, *(form[:i] + form[i + 1 :] for i in range(len(form)))))


@dataclass(frozen=True, slots=True)
class TextAt:
    """A correct text, and what its errors may draw from.

    Attributes:
        places: Where its words stand.
        words: What is known of right texts.
        rng: Of this text alone.
    """

    text: str
    source: str | None
    places: tuple[Range, ...]
    words: RightWords
    rng: random.Random

    def letters(self, place: int, *, fewest: int = 1) -> Range | None:
        """Where the letters of a word stand in the text, if it has as many in a row."""
        start, end = self.places[place]
        found = _LETTERS.search(self.text, start, end)
        return found.span() if found and len(found[0]) >= fewest else None


def _replacing(start: int, end: int, text: str) -> Edit:
    return Edit(start, end, text, ((0, len(text)),))


def _random_word(at: TextAt, place: int) -> Edit:
    return _replacing(*at.places[place], at.rng.choice(at.words.running))


def _added_word(at: TextAt, place: int) -> Edit:
    start, _ = at.places[place]
    word = at.rng.choice(at.words.running)
    return Edit(start, start, f"{word} ", ((0, len(word)),))


def _repeated_word(at: TextAt, place: int) -> Edit | None:
    found = at.letters(place)
    if found is None:
        return None
    start, end = found
    word = at.text[start:end]
    return Edit(end, end, f" {word}", ((1, 1 + len(word)),))


def _missing_word(at: TextAt, place: int) -> Edit | None:
    if place + 1 == len(at.places):
        return None  # whether something is missing at the end is no question of any word
    return Edit(at.places[place][0], at.places[place + 1][0], "", ((0, 0),))


def _swapped_words(at: TextAt, place: int) -> Edit | None:
    if place + 1 == len(at.places):
        return None
    (start, cut), (begin, end) = at.places[place : place + 2]
    first, between, second = at.text[start:cut], at.text[cut:begin], at.text[begin:end]
    behind = len(second) + len(between)
    return Edit(
        start,
        end,
        second + between + first,
        ((0, len(second)), (behind, behind + len(first))),
    )


def _confused_word(at: TextAt, place: int) -> Edit | None:
    """Another word that differs by a letter or two: ``den`` for ``dem``, ``seid`` for ``seit``."""
    found = at.letters(place, fewest=2)
    if found is None:
        return None
    word = at.text[slice(*found)]
    others = {other for rest in _without_a_letter(word) for other in at.words.alike.get(rest, ())}
    others = {other for other in others if other.casefold() != word.casefold()}
    return _replacing(*found, at.rng.choice(sorted(others))) if others else None


def _slip(at: TextAt, place: int) -> Edit | None:
    """A letter that is left out, typed twice, exchanged with the next one, or another one."""
    found = at.letters(place, fewest=_FEWEST_LETTERS)
    if found is None:
        return None
    word = at.text[slice(*found)]
    i = at.rng.randrange(1, len(word) - 1)
    slipped = at.rng.choice(
        (
            word[:i] + word[i + 1 :],
            word[:i] + word[i] + word[i:],
            word[:i] + word[i + 1] + word[i] + word[i + 2 :],
            word[:i] + at.rng.choice(at.words.letters) + word[i + 1 :],
        )
    )
    if slipped == word or slipped in at.words.known:
        return None
    return _replacing(*found, slipped)


def _cut_word(at: TextAt, place: int) -> Edit | None:
    """The beginning of a word alone, or its end."""
    found = at.letters(place, fewest=_FEWEST_LETTERS + 1)
    if found is None:
        return None
    word = at.text[slice(*found)]
    cut = at.rng.randrange(2, len(word) - 1)
    part = at.rng.choice((word[:cut], word[cut:]))
    return None if part in at.words.known else _replacing(*found, part)


def _wrong_capital(at: TextAt, place: int) -> Edit | None:
    found = at.letters(place, fewest=2)
    if found is None:
        return None
    word = at.text[slice(*found)]
    turned = word[0].swapcase() + word[1:]
    if turned == word or turned in at.words.known_within:
        return None
    return _replacing(*found, turned)


def _wrong_space(at: TextAt, place: int) -> Edit | None:
    """Words run together, a word torn apart, or a space before a mark."""
    start, end = at.places[place]
    how = at.rng.randrange(3)
    if how == 0 and place + 1 < len(at.places):
        begin, close = at.places[place + 1]
        joined = at.text[start:end] + at.text[begin:close]
        # Characters of a script without spaces stand together as it is
        return _replacing(start, close, joined) if end < begin else None
    if how == 1:
        found = at.letters(place, fewest=_FEWEST_LETTERS)
        if found is None:
            return None
        word = at.text[slice(*found)]
        cut = at.rng.randrange(2, len(word) - 1)
        return _replacing(*found, f"{word[:cut]} {word[cut:]}")
    mark = _MARK.search(at.text, start, end)
    return Edit(mark.start(), mark.end(), f" {mark[0]}", ((1, 2),)) if mark else None


def _wrong_mark(at: TextAt, place: int) -> Edit | None:
    """A mark that is another, twice, missing, at the next word, or where there is none."""
    start, end = at.places[place]
    mark = _MARK.search(at.text, start, end)
    is_last = place + 1 == len(at.places)
    if mark is None:
        if is_last or not at.text[end - 1].isalnum():
            return None
        return Edit(end, end, at.rng.choice(".,;:?!"), ((0, 1),))
    how = at.rng.randrange(2 if is_last else 4)
    if how == 0:
        return _replacing(mark.start(), mark.end(), at.rng.choice(_WRONG_MARKS[mark[0]]))
    if how == 1 or mark.end() != end:
        return None if mark[0] in "?!" else _replacing(mark.start(), mark.end(), mark[0] * 2)
    begin, close = at.places[place + 1]
    if how == 2:
        return Edit(mark.start(), begin, at.text[mark.end() : begin], ((begin - end,) * 2,))
    if not at.text[close - 1].isalnum():
        return None
    moved = at.text[end:close] + mark[0]
    gap = begin - end
    return Edit(mark.start(), close, moved, ((gap, gap), (len(moved) - 1, len(moved))))


def _untranslated_word(at: TextAt, place: int) -> Edit | None:
    found = at.letters(place, fewest=2)
    words = [word for word in _LETTERS.findall(at.source or "") if len(word) >= _FEWEST_LETTERS]
    words = [word for word in words if word not in at.words.known]
    return _replacing(*found, at.rng.choice(words)) if found and words else None


EDITS: Mapping[str, tuple[int, Callable[[TextAt, int], Edit | None]]] = {
    "random word": (3, _random_word),
    "swap": (2, _swapped_words),
    "confused word": (2, _confused_word),
    "slip": (2, _slip),
    "mark": (2, _wrong_mark),
    "added word": (1, _added_word),
    "repeated word": (1, _repeated_word),
    "missing word": (1, _missing_word),
    "cut word": (1, _cut_word),
    "capital": (1, _wrong_capital),
    "space": (1, _wrong_space),
    "untranslated word": (1, _untranslated_word),
}
"""Each kind of error with how often it is made beside the others, and its edit of a word."""
