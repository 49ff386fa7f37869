"""A scored text beside what people, references or other systems say about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headwise.data.error_spans import Range, marked_ranges
from headwise.data.scored import ScoredHypothesis
from headwise.data.signals import Signal
from headwise.data.token_marks import has_error


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedText:
    """One scored hypothesis and its gold.

    Attributes:
        scored: The hypothesis with its scores; its ``errors`` and ``tags`` are gold too.
        group: What belongs together when texts are resampled or compared: the source.
        gold: Quality of the text, the higher the better; ``None`` if nobody gave any.
        system: Who wrote the hypothesis, if that is known.
        others: Scores of other systems by their names, the higher the better.
        means: The mean of each signal, where that is all that is known: the tokens are not.
    """

    scored: ScoredHypothesis
    group: str
    gold: float | None = None
    system: str | None = None
    others: Mapping[str, float] = field(default_factory=dict)
    means: Mapping[Signal, float] | None = None

    @property
    def error_ranges(self) -> tuple[Range, ...] | None:
        """Characters that the gold calls wrong, without spaces around; ``None`` if unknown."""
        if self.scored.errors is None:
            return None
        return marked_ranges(self.scored.errors, self.scored.hypothesis)

    @property
    def has_error(self) -> bool:
        """Whether the gold finds anything wrong with the text, what is missing in it included."""
        return has_error(self.scored)


def source_numbers(texts: Sequence[JudgedText]) -> NDArray[np.int64]:
    """Number the sources of texts, ``(n,)``; a text without a source is alone."""
    numbers: dict[object, int] = {}
    return np.array(
        [
            numbers.setdefault(index if t.scored.source is None else t.scored.source, len(numbers))
            for index, t in enumerate(texts)
        ],
        dtype=np.int64,
    )


def group_numbers(texts: Sequence[JudgedText]) -> NDArray[np.int64]:
    """Number the groups of texts by their first appearance, ``(n,)``."""
    numbers: dict[str, int] = {}
    return np.array(
        [numbers.setdefault(text.group, len(numbers)) for text in texts], dtype=np.int64
    )
