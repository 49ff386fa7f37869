"""Texts about which a signal and the gold disagree most: the ones to read."""

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.evaluation.quality.columns import JudgedUnits
from headwise.evaluation.quality.judged_texts import JudgedText, group_numbers
from headwise.evaluation.statistics.columns import SignalColumn, shares_below
from headwise.evaluation.statistics.results import Disagreement
from headwise.metrics.inputs import Floats

_SHOWN = 20


def rank_disagreements(
    texts: Sequence[JudgedText], column: SignalColumn, gold: Floats, *, count: int = _SHOWN
) -> tuple[Disagreement, ...]:
    """Texts whose place by score is furthest from their place by gold, one a source."""
    if not any(text.scored.hypothesis for text in texts):
        return ()
    by_score, by_gold = shares_below(column.values), shares_below(gold)
    groups = group_numbers(texts)
    order = np.argsort(-np.abs(by_score - by_gold), kind="stable")
    worst = order[np.sort(np.unique(groups[order], return_index=True)[1])][:count]
    return tuple(
        Disagreement(
            scored=texts[i].scored,
            signal=_signal(texts[i].scored, column.signal),
            score=float(column.values[i]),
            gold=float(gold[i]),
            verdict=f"Scored better than {_share(float(by_score[i]))} of the texts, judged better "
            f"than {_share(float(by_gold[i]))}.",
            marks=texts[i].error_ranges or (),
        )
        for i in worst
    )


def unit_disagreements(
    texts: Sequence[JudgedText], found: JudgedUnits, column: SignalColumn, *, count: int = _SHOWN
) -> tuple[Disagreement, ...]:
    """Texts with the errors that score highest and the right pieces that score lowest, in turn."""
    places = shares_below(column.values)
    missed = _first_of_each(found, np.argsort(-places, kind="stable"), wrong=True)
    alarms = _first_of_each(found, np.argsort(places, kind="stable"), wrong=False)
    in_turn = (p for pair in zip_longest(missed, alarms) for p in pair if p is not None)
    chosen: dict[int, Disagreement] = {}
    for piece in in_turn:
        owner = int(found.texts[piece])
        text, (start, end) = texts[owner], found.ranges[piece]
        word, share = text.scored.hypothesis[start:end].strip(), float(places[piece])
        verdict = (
            f"“{word}” is wrong and scores better than {_share(share)} of all {found.unit}s."
            if found.wrong[piece]
            else f"“{word}” is right and scores worse than {_share(1 - share)} of all "
            f"{found.unit}s."
        )
        one = Disagreement(
            scored=text.scored,
            signal=_signal(text.scored, column.signal),
            score=float(column.values[piece]),
            gold=0.0 if found.wrong[piece] else 1.0,
            verdict=verdict,
            marks=text.error_ranges or (),
        )
        chosen.setdefault(owner, one)
    return tuple(chosen.values())[:count]


def _share(share: float) -> str:
    """A share as a reader says it: never all or nothing."""
    if 0.01 < share < 0.99:
        return f"{share:.0%}"
    return "over 99%" if share > 0.5 else "under 1%"


def _first_of_each(found: JudgedUnits, order: NDArray[np.int64], *, wrong: bool) -> list[int]:
    """The first wrong or right pieces, one a source: its texts go wrong in the same place."""
    first: dict[int, int] = {}
    for piece in order[found.wrong[order] == wrong]:
        first.setdefault(int(found.groups[piece]), int(piece))
        if len(first) == _SHOWN:
            break
    return list(first.values())


def _signal(scored: ScoredHypothesis, name: str) -> Signal | None:
    plain = name.removeprefix("-")
    return Signal(plain) if scored.tokens and plain in scored.signals else None
