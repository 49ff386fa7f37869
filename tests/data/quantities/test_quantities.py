"""Numbers, dates and times: what says the same, and what stands nowhere in a context."""

import time
from itertools import pairwise

import pytest

from headwise.data.quantities import quantities, unsupported_quantities


def missing(context: str, answer: str) -> list[str]:
    return [answer[one.start : one.end] for one in unsupported_quantities(context, answer)]


@pytest.mark.parametrize(
    ("context", "answer"),
    [
        ("1,000 men", "one thousand; a thousand; 1000; 1.000; 1 000; 1\u00a0000; tausend; 1'000"),
        ("twenty-one dogs, two hundred and five cats", "21 dogs, twenty one, 205 cats"),
        ("300,007", "three hundred thousand and seven"),
        ("zweitausendfünfhundert und einundzwanzig", "2500 und 21; 2.500"),
        ("£10m and 1.5 million", "10 million, 1,500,000, 1,5 Millionen"),
        ("It cost $1,234.56.", "1.234,56 or 1234.56"),
        ("5-10 acres from 2010\u20132015", "from 5 to 10 acres, 2010 to 2015"),
        ("A couple sits with a dog and a dozen eggs.", "two people, 1 dog, 12 eggs, dozen"),
        ("in 1994", "in the 1990s"),
        ("5 March 2024", "March 5th, 2024; 2024-03-05; 5.3.2024; 03/05/2024; 5/3/24; 5. März 2024"),
        ("5 March 2024", "in March; in March 2024; on 5 March; in 2024; the 5th of March"),
        ("In 2024, on 5 March, a Monday.", "on Monday 5 March 2024"),
        ("At 3:30 pm, until 20:00", "15:30; 3:30; 3:30 p.m.; 8 o'clock; 20 Uhr"),
        ("nothing", "hundreds of people, one of them, a man; you may march first, second"),
        ("COVID-19", "COVID-19, A4 and F16\n1. an item\n (2) another [3]"),
    ],
)
def test_these_say_the_same(context: str, answer: str) -> None:
    assert missing(context, answer) == []


@pytest.mark.parametrize(
    ("context", "answer", "expected"),
    [
        ("10 million", "11 million or 12m or 1.6 million", ["11 million", "12m", "1.6 million"]),
        ("two three", "23", ["23"]),
        ("A couple", "three people", ["three"]),
        ("March 2024", "on 5 March 2024, 6.3.2024", ["5 March 2024", "6.3.2024"]),
        ("5 March 2024", "5 April 2024, 5 March 2023", ["5 April 2024", "5 March 2023"]),
        ("on Monday", "on Tuesday. In May, he left", ["Tuesday", "May"]),
        ("Monday", "Monday Tuesday", ["Tuesday"]),
        ("in 1994", "the 1980s", ["1980s"]),
        ("3:30 pm", "at 4 pm, 3:45", ["4 pm", "3:45"]),
        ("version 1.2.3", "1.2.3 and 1.2.4", ["1.2.4"]),
        ("", "He died in 1999.", ["1999"]),
        ("", "three hundred thousand and 7", ["three hundred thousand", "7"]),
    ],
)
def test_these_stand_nowhere(context: str, answer: str, expected: list[str]) -> None:
    assert missing(context, answer) == expected


def test_what_is_found_is_in_order_and_apart() -> None:
    text = "On 5 March 2024 at 3 pm, twenty-two of 1,000 left."
    found = quantities(text)
    shown = [(text[one.start : one.end], one.kind.value) for one in found if one.asks]
    assert shown == [
        ("5 March 2024", "date"),
        ("3 pm", "time"),
        ("twenty-two", "number"),
        ("1,000", "number"),
    ]
    assert all(left.end <= right.start for left, right in pairwise(found))


@pytest.mark.parametrize(
    "text", ["1 ", "9", "one ", "1,", "undtausend", "1 234 567 ", "Monday ", "1. May ", "ein"]
)
def test_long_texts_take_no_longer_than_their_length(text: str) -> None:
    # Ten times as long a text would take a hundred times as long if time grew with its square
    started = time.process_time()
    quantities(text * 2_000)
    short = time.process_time() - started
    started = time.process_time()
    quantities(text * 20_000)
    assert time.process_time() - started < 40 * short + 0.5
