"""What the scripts of a page draw a scored text from: its words, its cells, and its gaps."""

import itertools
import math
from typing import Any

from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Signal
from headwise.report.scored_text import display
from headwise.report.text import MINUS

HIGHEST_THRESHOLD = 1.0
"""The highest threshold that a reader can choose."""


def drawing_record(scored: ScoredHypothesis, signals: tuple[Signal, ...]) -> dict[str, Any]:
    """The scores of one hypothesis for the script of a page, offsets in UTF-16 code units.

    ``words`` holds ``[start, end, confidence]``, ``cells`` holds ``[start, end, confidence,
    tokens]``, a token is ``[id, values, alternatives or null]``, an alternative ``[text,
    probability]``. With the signal ``omission``, ``gaps`` holds ``[place, confidence,
    where, probability]`` of each place that the reader can make the page mark. The text itself
    stands in the page and is not repeated.
    """
    main = signals[0]
    units = _utf16_offsets(scored.hypothesis)

    def token_record(token: ScoredToken) -> list[Any]:
        values = [_json_value(getattr(token, signal)) for signal in signals]
        alternatives = token.alternatives and [
            [display.alternative_label(a.text), _json_value(a.probability)]
            for a in token.alternatives
        ]
        return [token.token_id, values, alternatives]

    record: dict[str, Any] = {
        "words": [
            [units[word.start], units[word.end], main.confidence(getattr(word, main))]
            for word in scored.words
        ],
        "cells": [
            [
                units[group.start],
                units[group.end],
                group.confidence(main),
                [token_record(token) for token in group.tokens],
            ]
            for group in display.token_groups(scored)
        ],
    }
    if display.shows_gaps(signals):
        record["gaps"] = [
            [units[gap.place], gap.confidence, gap.where, _json_value(gap.omission)]
            for gap in display.gaps_to_check(scored, HIGHEST_THRESHOLD, main)
        ]
    return record


def _json_value(value: float | None) -> float | str | None:
    """Four significant digits; infinity as text, because JSON has no number for it."""
    if value is None or math.isnan(value):
        return None
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    return float(f"{value:.4g}")


def _utf16_offsets(text: str) -> list[int]:
    """Where each code point starts when counted as JavaScript counts, and where the text ends."""
    return list(itertools.accumulate((1 + (c > "\uffff") for c in text), initial=0))
