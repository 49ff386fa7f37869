"""Numbers in words, in English and German."""

import re
from decimal import Decimal

_UNITS = """
    zero, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen,
    fourteen, fifteen, sixteen, seventeen, eighteen, nineteen
"""
_UNITS_DE = """
    null, ein eins eine, zwei, drei, vier, fünf, sechs, sieben, acht, neun, zehn, elf, zwölf,
    dreizehn, vierzehn, fünfzehn, sechzehn, siebzehn, achtzehn, neunzehn
"""
_ORDINALS = """
    zeroth, , , third, fourth, fifth, sixth, seventh, eighth, ninth, tenth, eleventh, twelfth,
    thirteenth, fourteenth, fifteenth, sixteenth, seventeenth, eighteenth, nineteenth
"""
_TENS = """
    twenty zwanzig twentieth, thirty dreißig dreissig thirtieth, forty vierzig fortieth,
    fifty fünfzig fiftieth, sixty sechzig sixtieth, seventy siebzig seventieth,
    eighty achtzig eightieth, ninety neunzig ninetieth
"""


def _counted(text: str, *, first: int = 0, step: int = 1) -> dict[str, int]:
    groups = enumerate(text.split(","))
    return {word: first + step * number for number, group in groups for word in group.split()}


UNITS = {**_counted(_UNITS), **_counted(_UNITS_DE), **_counted(_ORDINALS)}
"""Words below twenty. *First* and *second* are no numbers here: they are mostly something else."""

TENS = _counted(_TENS, first=20, step=10)

SCALES = {
    **dict.fromkeys(("hundred", "hundreds", "hundert"), 10**2),
    **dict.fromkeys(("thousand", "thousands", "tausend"), 10**3),
    **dict.fromkeys(("million", "millions", "millionen", "mio"), 10**6),
    **dict.fromkeys(("billion", "billions", "bn", "milliarde", "milliarden", "mrd"), 10**9),
    **dict.fromkeys(("trillion", "trillions", "billionen"), 10**12),
    "dozen": 12,
    "dutzend": 12,
}
"""What a number before them is times."""

ATTACHED = {"k": 10**3, "m": 10**6, "mn": 10**6, "bn": 10**9, "b": 10**9}
"""What letters right behind digits may mean; a metre is one, too."""

SUPPORTING: dict[str, int | Decimal] = {
    **dict.fromkeys(("a", "an", "single", "once", "first"), 1),
    **dict.fromkeys(("einen", "einem", "einer", "eines", "einmal", "erste", "ersten"), 1),
    **dict.fromkeys(("couple", "pair", "both", "twice", "double", "second"), 2),
    **dict.fromkeys(("beide", "beiden", "paar", "zweimal", "doppelt", "zweite", "zweiten"), 2),
    **dict.fromkeys(("trio", "triple", "dreimal", "dritte", "dritten"), 3),
    **dict.fromkeys(("half", "halb", "halbe", "hälfte"), Decimal("0.5")),
}
"""Words that are no numbers in an answer, but support these where they stand in a context."""

# Longer words are none
_LONGEST = 80
_SCALED_DE = re.compile("(.*?)(tausend|hundert)(.*)")
_AND_DE = re.compile("(.+)und(.+)")


def german_number(word: str) -> int | None:
    """The number that a German word is, in lower case: *zweitausendfünfhundert*, *einundzwanzig*.

    ``None`` if it is none.
    """
    if word in UNITS or word in TENS or len(word) > _LONGEST:
        return UNITS.get(word, TENS.get(word))
    if (parts := _SCALED_DE.fullmatch(word)) is not None:
        times = german_number(parts[1]) if parts[1] else 1
        rest = german_number(parts[3].removeprefix("und")) if parts[3] else 0
        whole = SCALES[parts[2]]
        return None if times is None or rest is None or rest >= whole else times * whole + rest
    if (parts := _AND_DE.fullmatch(word)) is not None and parts[2] in TENS:
        unit = UNITS.get(parts[1], 10)
        return TENS[parts[2]] + unit if 0 < unit < 10 else None
    return None
