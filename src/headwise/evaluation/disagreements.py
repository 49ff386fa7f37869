"""Texts about which a signal and the gold disagree most: the ones to read."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from headwise.data.scored import ScoredHypothesis
from headwise.data.signals import Signal
from headwise.evaluation.columns import Column, Pieces
from headwise.evaluation.judged_text import JudgedText, group_numbers
from headwise.evaluation.results import Disagreement

Floats = NDArray[np.float64]

_SHOWN = 20


def in_rank(
    texts: Sequence[JudgedText], column: Column, gold: Floats, *, count: int = _SHOWN
) -> tuple[Disagreement, ...]:
    """Texts whose place by score is furthest from their place by gold, one a source."""
    by_score, by_gold = _places(column.values), _places(gold)
    groups = group_numbers(texts)
    order = np.argsort(-np.abs(by_score - by_gold), kind="stable")
    worst = order[np.sort(np.unique(groups[order], return_index=True)[1])][:count]
    return tuple(
        Disagreement(
            scored=texts[i].scored,
            signal=_signal(texts[i].scored, column.signal),
            score=float(column.values[i]),
            gold=float(gold[i]),
            verdict=f"Scored better than {_share(by_score[i])} of the texts, judged better than "
            f"{_share(by_gold[i])}.",
            marks=texts[i].error_ranges or (),
        )
        for i in worst
    )


def in_pieces(
    texts: Sequence[JudgedText], found: Pieces, column: Column, *, count: int = _SHOWN
) -> tuple[Disagreement, ...]:
    """Texts with the errors that score highest and the right pieces that score lowest, in turn."""
    places = _places(column.values)
    missed = _first_of_each(found, np.argsort(-np.where(found.wrong, places, -1), kind="stable"))
    alarms = _first_of_each(found, np.argsort(np.where(found.wrong, 2, places), kind="stable"))
    chosen: dict[int, Disagreement] = {}
    for pair in zip(missed, alarms, strict=False):
        for piece in pair:
            text = texts[found.texts[piece]]
            start, end = found.ranges[piece]
            word, share = text.scored.hypothesis[start:end].strip(), places[piece]
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
            chosen.setdefault(int(found.texts[piece]), one)
    return tuple(chosen.values())[:count]


def _share(share: float) -> str:
    """A share as a reader says it: never all or nothing."""
    if 0.01 < share < 0.99:
        return f"{share:.0%}"
    return "over 99%" if share > 0.5 else "under 1%"


def _first_of_each(found: Pieces, order: NDArray[np.int64]) -> list[int]:
    """The first pieces in an order, one a source: its texts tend to go wrong in the same place."""
    wrong = found.wrong[order[0]] if len(order) else False
    first: dict[int, int] = {}
    for piece in order:
        if found.wrong[piece] != wrong or len(first) >= _SHOWN:
            break
        first.setdefault(int(found.groups[piece]), int(piece))
    return list(first.values())


def _places(values: Floats) -> Floats:
    """Share of the values that lie below each, ties counted half, in [0, 1]."""
    places: Floats = (rankdata(values) - 0.5) / len(values)
    return places


def _signal(scored: ScoredHypothesis, name: str) -> Signal | None:
    plain = name.removeprefix("-")
    return Signal(plain) if scored.tokens and plain in scored.signals else None
