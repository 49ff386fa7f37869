"""Numbers in running text, in digits and in words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from headwise.data.quantities.number_words import (
    ATTACHED,
    SCALES,
    SUPPORTING,
    TENS,
    UNITS,
    german_number,
)
from headwise.data.quantities.values import Literal, Quantity, QuantityKind, Value

# Groups of three may be parted by a space of any kind or an apostrophe
_GROUPED = (
    r"\d{1,3}(?:(?P<gap>[ \u00a0\u2009\u202f'\u2019])\d{3})(?:(?P=gap)\d{3})*(?:[.,]\d+)?(?!\d)"
)
_DIGITS = re.compile(
    rf"(?:(?<!\d){_GROUPED}|\d+(?:[.,]\d+)*)(?P<behind>s\b|st\b|nd\b|rd\b|th\b|[a-zA-Z]{{1,2}}\b)?"
)
_WORD = re.compile(r"[^\W\d_]+")
_BETWEEN = re.compile(r"\s+|-|\u2010|\u2011")
_SCALE_BEHIND = re.compile(r"[\s\u00a0-]+([^\W\d_]+)\b")
_THREES = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*")
# The number of an item of a list, and that of a source
_INDENT = 8
_ITEM_ENDS = re.compile(r"[.)][ \t]")


def numbers(text: str) -> Iterator[Quantity]:
    """All numbers of a text: those in digits in order, then those in words."""
    for match in _DIGITS.finditer(text):
        yield _in_digits(match, text)
    yield from _in_words(text)


def _in_digits(match: re.Match[str], text: str) -> Quantity:
    behind = (match["behind"] or "").lower()
    start, end = match.span()
    figures = text[start : match.start("behind")] if behind else match.group()
    values = _readings(figures)
    asks, gives = set(values), set(values)
    if (gap := match["gap"]) is not None:
        # Two numbers side by side may look like one
        gives |= {Decimal(part) for part in figures.split(gap) if part.isdigit()}
    if behind == "s" and len(figures) == 4:
        asks = {Decimal(int(figures) // 10 * 10 + year) for year in range(10)}
    elif behind in ATTACHED:
        scaled = {value * ATTACHED[behind] for value in values if isinstance(value, Decimal)}
        asks, gives = asks | scaled, gives | scaled
    elif (scale := _SCALE_BEHIND.match(text, end)) and scale[1].lower() in SCALES:
        times, end = SCALES[scale[1].lower()], scale.end()
        asks = {value * times for value in values if isinstance(value, Decimal)}
        gives |= asks
    if _says_nothing(text, start, end):
        asks = set()
    return Quantity(start, end, QuantityKind.NUMBER, frozenset(asks), frozenset(gives))


def _readings(figures: str) -> set[Value]:
    """The numbers that digits with their marks may be; in English and German they differ."""
    plain = re.sub("[ \u00a0\u2009\u202f'\u2019]", "", figures)
    marks = [mark for mark in plain if mark in ".,"]
    if not marks:
        return {Decimal(plain)}
    bare = re.sub("[.,]", "", plain)
    found: set[Value] = set()
    if (threes := _THREES.fullmatch(plain)) is not None and plain[0] != "0":
        found.add(Decimal(bare))
    if len(marks) == 1:
        found.add(Decimal(plain.replace(",", ".")))
    elif threes is None:
        whole, _, part = plain.rpartition(marks[-1])
        single = len(set(marks[:-1])) == 1 and marks[-1] != marks[0]
        if single and _THREES.fullmatch(whole):
            found.add(Decimal(f"{re.sub('[.,]', '', whole)}.{part}"))
    return found or {Literal(plain)}


def _says_nothing(text: str, start: int, end: int) -> bool:
    """Whether it is part of a name (*A4*, *COVID-19*), or numbers an item or a source."""
    before = text[max(0, start - 2) : start]
    if before[-1:].isalpha() or before[-1:] == "_":
        return True
    if len(before) == 2 and before[1] in "-\u2010\u2011" and before[0].isupper():
        return True
    if before[-1:] == "[" and text[end : end + 1] in ("]", ","):
        return True
    if _ITEM_ENDS.match(text, end) is None:
        return False
    # The end of the line before, or its text's beginning, and nothing but space since
    line = text[max(0, start - _INDENT) : start].rpartition("\n")
    begins = bool(line[1]) or start <= _INDENT
    return begins and not line[2].strip(" \t(")


@dataclass(slots=True)
class _Words:
    """A number in words as far as it has been read."""

    start: int
    end: int
    whole: int = 0
    part: int = 0  # below a thousand
    least: int = 1000  # what the next word has to be smaller than, until a scale comes

    @property
    def value(self) -> int:
        return self.whole + self.part

    @property
    def goes_on(self) -> bool:
        """Whether *and* may follow: behind hundreds, and behind thousands."""
        return self.least == 100 or (self.least == 1000 and self.whole > 0)

    def takes(self, word: str, number: int | None) -> bool:
        """Read one more word, if it goes on with this number."""
        scale = SCALES.get(word)
        if scale is not None:
            if scale == 100 and 0 < self.part < 100:
                self.part, self.least = self.part * 100, 100
            elif scale != 100 and self.part and (not self.whole or scale < self.whole):
                self.whole, self.part, self.least = self.whole + self.part * scale, 0, 1000
            else:
                return False
            return True
        if number is None or number >= self.least or not number:
            return False
        self.part += number
        self.least = 10 if word in TENS else 1
        return True


def _in_words(text: str) -> Iterator[Quantity]:
    current: _Words | None = None
    joined = False  # by an "and" that a number may hold
    for match in _WORD.finditer(text):
        word = match.group().lower()
        number = _number(word)
        near = current is not None and bool(_BETWEEN.fullmatch(text, current.end, match.start()))
        if current is not None and word == "and" and near and current.goes_on:
            joined = True
            continue
        if current is not None:
            space = text[current.end : match.start()]
            near = near or (joined and space.strip().lower() == "and")
            if near and current.takes(word, number):
                current.end, joined = match.end(), False
                continue
            yield _counted(current, text)
        current, joined = None, False
        if number is not None or word in SCALES:
            current = _begun(word, number, match)
        elif word in SUPPORTING:
            value = frozenset([Decimal(SUPPORTING[word])])
            yield Quantity(*match.span(), QuantityKind.NUMBER, frozenset(), value)
    if current is not None:
        yield _counted(current, text)


def _number(word: str) -> int | None:
    if word in UNITS:
        return UNITS[word]
    return TENS[word] if word in TENS else german_number(word)


def _begun(word: str, number: int | None, match: re.Match[str]) -> _Words:
    words = _Words(*match.span())
    if number is None:  # *hundreds of*, *a thousand*
        words.part, words.least = 1, 1
        words.takes(word, None)
    elif number >= 1000:
        words.whole = number
    else:
        words.part = number
        words.least = 10 if word in TENS and number < 100 else 1
    return words


def _counted(words: _Words, text: str) -> Quantity:
    value: frozenset[Value] = frozenset([Decimal(words.value)])
    said = text[words.start : words.end].lower()
    silent = words.value < 2  # *one* and *ein* are mostly no numbers
    vague = said in ("hundreds", "thousands", "millions", "billions", "trillions")
    asks = frozenset[Value]() if silent or vague else value
    return Quantity(words.start, words.end, QuantityKind.NUMBER, asks, value)
