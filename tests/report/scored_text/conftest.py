"""Hand-made scored hypotheses."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from headwise.data.records.scored import Alternative, ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Signal

MakeScored = Callable[..., ScoredHypothesis]


@pytest.fixture
def make_scored() -> MakeScored:
    """Build a record from the tokens of its hypothesis.

    Each token is ``(text, values)`` or ``(text, values, alternatives)``; ``values`` follow
    ``signals``. The texts are looked up in the hypothesis one after the other. A text given twice
    in a row is a character whose bytes two tokens share.
    """

    def build(
        source: str | None,
        hypothesis: str,
        *tokens: Any,
        signals: str = "sigmoid",
        special: tuple[ScoredToken, ...] = (),
    ) -> ScoredHypothesis:
        names = tuple(Signal(name) for name in signals.split(","))
        built: list[ScoredToken] = []
        for number, (text, values, *rest) in enumerate(tokens):
            shared = built and built[-1].text == text and hypothesis.count(text) == 1
            position = built[-1].start if shared else built[-1].end if built else 0
            start = hypothesis.index(text, position)
            values = values if isinstance(values, tuple) else (values,)
            built.append(
                ScoredToken(
                    text=text,
                    token_id=100 + number,
                    start=start,
                    end=start + len(text),
                    alternatives=tuple(itertools.starmap(Alternative, rest[0])) if rest else None,
                    **dict(zip(names, values, strict=True)),
                )
            )
        return ScoredHypothesis(source, hypothesis, tuple(built), special, names)

    return build


@pytest.fixture
def examples(make_scored: MakeScored) -> list[ScoredHypothesis]:
    """Seven sentences as a reader meets them: plain, shared bytes, right to left, empty."""
    full = "sigmoid,softmax,entropy,rank"
    return [
        make_scored(
            "A dog runs along the beach near the old harbour.",
            "Ein Hund läuft am Strandkorb in der Nähe des alten Hafens entlang.",
            ("Ein", (0.98, 0.91, 0.32, 1)),
            ("Hund", (0.99, 0.97, 0.12, 1), [("Hund", 0.97), ("Welpe", 0.01)]),
            ("läuft", (0.93, 0.55, 1.21, 1), [("läuft", 0.55), ("rennt", 0.38), ("geht", 0.04)]),
            ("am", (0.9, 0.62, 1.1, 1), [("am", 0.62), ("den", 0.2), ("entlang", 0.07)]),
            ("Strand", (0.95, 0.88, 0.4, 1), [("Strand", 0.88), ("Ufer", 0.07)]),
            ("korb", (0.06, 0.0031, 0.9, 9), [("", 0.71), (" entlang", 0.18), ("rand", 0.03)]),
            ("in", (0.71, 0.31, 1.9, 2), [("nahe", 0.42), ("in", 0.31), ("bei", 0.1)]),
            ("der", (0.98, 0.93, 0.3, 1)),
            ("Nähe", (0.99, 0.99, 0.04, 1)),
            ("des", (0.97, 0.9, 0.4, 1)),
            ("alten", (0.95, 0.9, 0.41, 1)),
            ("Haf", (0.97, 0.93, 0.31, 1)),
            ("ens", (0.99, 0.98, 0.1, 1)),
            ("entlang", (0.38, 0.11, 1.7, 3), [(".", 0.64), ("vorbei", 0.13), ("entlang", 0.11)]),
            (".", (0.96, 0.95, 0.2, 1)),
            signals=full,
            special=(ScoredToken(text="</s>", special=True, sigmoid=0.99, softmax=0.9),),
        ),
        make_scored(
            "Two men in blue overalls are <b>repairing</b> a Müller & Söhne tractor.",
            "Zwei Männer in blauen Latzhosen <b>reparieren</b> einen Müller & Söhne Traktor.",
            ("Zwei", (0.99, 0.96, 0.2, 1)),
            ("Männer", (0.99, 0.97, 0.1, 1)),
            ("in", (0.98, 0.89, 0.5, 1)),
            ("blauen", (0.97, 0.9, 0.4, 1)),
            ("Latz", (0.78, 0.24, 1.6, 2), [("Over", 0.51), ("Latz", 0.24), ("Arbeits", 0.13)]),
            ("hosen", (0.97, 0.98, 0.1, 1)),
            ("<b>", (0.81, 0.7, 1.0, 1)),
            ("repar", (0.95, 0.8, 0.6, 1)),
            ("ieren", (0.99, 0.99, 0.05, 1)),
            ("</b>", (0.92, 0.9, 0.2, 1)),
            ("einen", (0.97, 0.93, 0.3, 1)),
            ("Müller", (0.9, 0.8, 0.7, 1)),
            ("&", (0.88, 0.9, 0.4, 1)),
            ("Söhne", (0.47, 0.32, 1.4, 2), [("Sohn", 0.49), ("Söhne", 0.32)]),
            ("Traktor", (0.74, 0.41, 1.2, 1), [("Traktor", 0.41), ("-Traktor", 0.4)]),
            (".", (0.97, 0.98, 0.1, 1)),
            signals=full,
        ),
        make_scored(
            "What a lovely evening 👩‍🚀!",
            "Was für ein schöner Abend 👩‍🚀!",
            ("Was", (0.97, 0.9, 0.3, 1)),
            ("für", (0.98, 0.95, 0.2, 1)),
            ("ein", (0.98, 0.96, 0.2, 1)),
            ("schöner", (0.86, 0.5, 1.2, 1), [("schöner", 0.5), ("herrlicher", 0.22)]),
            ("Abend", (0.98, 0.97, 0.1, 1)),
            ("👩", (0.64, 0.3, 2.4, 2)),
            ("👩", (0.41, 0.2, 2.1, 3), [("\ufffd", 0.5), ("👨", 0.2)]),
            ("\u200d🚀", (0.58, 0.3, 1.1, 1)),
            ("!", (0.95, 0.94, 0.3, 1)),
            signals=full,
        ),
        make_scored(
            "The meeting starts at nine.",
            "يبدأ الاجتماع في الساعة السابعة.",
            ("يبدأ", (0.96, 0.8, 0.6, 1)),
            ("الا", (0.95, 0.9, 0.3, 1)),
            ("جتماع", (0.98, 0.97, 0.1, 1)),
            ("في", (0.93, 0.7, 0.8, 1)),
            ("الساعة", (0.97, 0.9, 0.3, 1)),
            ("السابعة", (0.08, 0.02, 0.7, 4), [("التاسعة", 0.91), ("الثامنة", 0.03)]),
            (".", (0.95, 0.97, 0.1, 1)),
            signals=full,
        ),
        make_scored(
            "The meeting starts at nine.",
            "会议七点开始。",
            ("会议", (0.95, 0.9, 0.3, 1)),
            ("七", (0.05, 0.01, 0.8, 5), [("九", 0.88), ("于", 0.05)]),
            ("点", (0.93, 0.9, 0.3, 1)),
            ("开始", (0.97, 0.96, 0.2, 1)),
            ("。", (0.95, 0.97, 0.1, 1)),
            signals=full,
        ),
        make_scored(
            None,
            "Ein Satz ohne Quelle,\nauf zwei Zeilen.",
            *((text, (0.9, 0.7, 0.8, 1)) for text in ("Ein", "Satz", "ohne", "Quelle", ",")),
            *((text, (0.85, 0.6, 0.9, 1)) for text in ("auf", "zwei", "Zeilen", ".")),
            signals=full,
        ),
        make_scored("Nobody answered.", "", signals=full),
    ]
