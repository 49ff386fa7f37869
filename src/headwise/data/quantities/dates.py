"""Dates, days of the week and times of day in running text."""

import re
from collections.abc import Iterator
from decimal import Decimal

from headwise.data.quantities.calendar_words import MONTHS, WEEKDAYS
from headwise.data.quantities.values import Date, Minute, Quantity, QuantityKind, Value, Weekday

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"
_YEAR = r"(?P<year>\d{4})(?!\d)"
_NAMED = re.compile(
    rf"""
      (?<![\w.,]) {_DAY} \s+ (?:of\s+)? (?P<month>{_MONTH})\b \.? (?: ,?\s+ {_YEAR} )?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"""
      \b (?P<month>{_MONTH})\b \.? \s+ (?:the\s+)? {_DAY} (?![\d:]) (?!,\d) (?: ,?\s+ {_YEAR} )?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MONTH_YEAR = re.compile(rf"\b(?P<month>{_MONTH})\b\.?,?\s+{_YEAR}", re.IGNORECASE)
_ISO = re.compile(r"(?<!\d)(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)")
_FIGURES = re.compile(
    r"(?<![\d.,])(?P<first>\d{1,2})(?P<mark>[./-])(?P<second>\d{1,2})(?P=mark)"
    r"(?P<year>\d{4}|\d{2})(?!\d|[.,]\d)"
)
_ALONE = re.compile(rf"\b(?:{_MONTH}|{'|'.join(WEEKDAYS)})\b", re.IGNORECASE)
# In these words a month is no other word, nor a name
_BEFORE_MONTHS = frozenset(
    (
        *("in", "since", "until", "till", "by", "of", "last", "this", "next", "early", "late"),
        *("mid", "during", "from", "to", "im", "seit", "ab", "bis", "anfang", "ende", "mitte"),
    )
)
_LOOK_BACK = 12
# What is also a verb, or short for something else
_DOUBTFUL = frozenset(word for word in MONTHS if len(word) < 4 or word == "march")
_TIME = re.compile(
    r"(?<![\d.,:])(?P<hour>\d{1,2})(?: [:.](?P<minute>[0-5]\d)(?::[0-5]\d)? )?"
    r"(?: \s*(?P<half>[ap])\.?m\b\.? | (?P<clock>\s*(?:Uhr|o['\u2019]clock)\b) )?(?![\d:])",
    re.VERBOSE | re.IGNORECASE,
)


def dates(text: str) -> Iterator[Quantity]:
    """All dates, days of the week and times of a text; some may overlap, the longer ones first."""
    for pattern in (_ISO, _NAMED, _MONTH_FIRST, _MONTH_YEAR):
        for match in pattern.finditer(text):
            parts = match.groupdict()
            month = parts["month"]
            date = Date(
                _number(parts["year"]),
                MONTHS[month.lower()] if month.lower() in MONTHS else int(month),
                _number(parts.get("day")),
            )
            if date.is_possible and (month[0].isupper() or month[0].isdigit()):
                yield _quantity(match, [date])
    for match in _FIGURES.finditer(text):
        if found := list(_orders(match)):
            yield _quantity(match, found)
    for match in _TIME.finditer(text):
        if found_times := _minutes(match):
            gives = [Decimal(part) for part in (match["hour"], match["minute"]) if part]
            yield Quantity(
                *match.span(),
                QuantityKind.TIME,
                frozenset(found_times),
                frozenset([*found_times, *gives]),
            )
    for match in _ALONE.finditer(text):
        # As far back as the longest of the words that matter
        before = text[max(0, match.start() - _LOOK_BACK) : match.start()].split()
        yield from _alone(match, before[-1].lower() if before else "")


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _quantity(match: re.Match[str], found: list[Date]) -> Quantity:
    # The numbers of a date support these numbers, too
    numbers: set[Value] = {
        Decimal(part) for date in found for part in (date.year, date.day) if part is not None
    }
    start, end = match.span()
    if match.group().endswith("."):  # the end of a sentence, or of an abbreviation
        end -= 1
    return Quantity(start, end, QuantityKind.DATE, frozenset(found), frozenset(found) | numbers)


def _orders(match: re.Match[str]) -> Iterator[Date]:
    """The dates that figures may be: the day first, or the month."""
    first, second, figures = int(match["first"]), int(match["second"]), match["year"]
    years = [int(figures)] if len(figures) == 4 else [1900 + int(figures), 2000 + int(figures)]
    for year in years:
        orders = [Date(year, second, first)]
        if match["mark"] != ".":
            orders.append(Date(year, first, second))
        yield from (date for date in orders if date.is_possible)


def _minutes(match: re.Match[str]) -> set[Minute]:
    """The times that it may be; none if it is a number like any other."""
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    half, clock = (match["half"] or "").lower(), match["clock"]
    pointed = match["minute"] is not None and ":" not in match.group()
    if hour > 24 or not (half or clock or (match["minute"] and not pointed)):
        return set()
    if half:
        return {Minute((hour % 12 + 12 * (half == "p")) * 60 + minute)} if hour <= 12 else set()
    hours = {hour % 24, *((hour + 12, hour % 12) if hour <= 12 else ())}
    return {Minute(each % 24 * 60 + minute) for each in hours}


def _alone(match: re.Match[str], before: str) -> Iterator[Quantity]:
    word = match.group()
    if not word[0].isupper():
        return
    value: Value
    if (low := word.lower()) in WEEKDAYS:
        value = Weekday(WEEKDAYS[low])
    elif low not in _DOUBTFUL or before in _BEFORE_MONTHS:
        value = Date(month=MONTHS[low])
    else:
        return
    yield Quantity(*match.span(), QuantityKind.DATE, frozenset([value]), frozenset([value]))
