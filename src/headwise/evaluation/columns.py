"""All signals as columns of numbers, each the higher the better: of texts, of words, of tokens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from headwise.data.aggregation import Aggregation, aggregate
from headwise.data.error_spans import Range, is_marked
from headwise.data.scored import ScoredHypothesis, ScoredToken
from headwise.data.signals import Signal
from headwise.evaluation.judged_text import JudgedText, group_numbers

Floats = NDArray[np.float64]

RANDOM, LENGTH = "random", "length"
DEFAULT_AGGREGATIONS = (
    Aggregation.MEAN,
    Aggregation.GEOMETRIC_MEAN,
    Aggregation.MEDIAN,
    Aggregation.MIN,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One signal of N items.

    Attributes:
        signal: Its name; ``-entropy`` and ``-rank`` are turned round, so that high is good.
        aggregation: How token values became one; ``None`` where nothing is aggregated.
        values: The higher the better, ``(N,)``, finite.
        is_probability: Whether the values claim to be probabilities of being right.
    """

    signal: str
    aggregation: str | None
    values: Floats
    is_probability: bool


class Unit(StrEnum):
    """The pieces of a text that are right or wrong.

    Attributes:
        TOKEN: Tokens of the backbone.
        WORD: Words: those that were tagged if there are tags, otherwise Unicode words.
        GAP: Places between tagged words; wrong where something is missing. A gap has the value of
            the token after it, the last one that of the token that closes the text.
    """

    TOKEN = "token"
    WORD = "word"
    GAP = "gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Words or tokens of many texts, one after another.

    Attributes:
        unit: What they are.
        columns: Their signals, N values each.
        wrong: Whether the gold calls them wrong, ``(N,)``, bool.
        texts: Which text each belongs to, ``(N,)``.
        groups: Which group of texts each belongs to, ``(N,)``.
        ranges: Their characters.
    """

    unit: Unit
    columns: tuple[Column, ...]
    wrong: NDArray[np.bool_]
    texts: NDArray[np.int64]
    groups: NDArray[np.int64]
    ranges: tuple[Range, ...]


def text_columns(
    texts: Sequence[JudgedText],
    *,
    aggregations: Sequence[Aggregation | str] = DEFAULT_AGGREGATIONS,
    seed: int = 0,
) -> tuple[Column, ...]:
    """One value a text: every signal under every aggregation, other systems, two baselines.

    The baselines are ``random`` (uniform noise) and ``length`` (minus the number of tokens, or of
    characters where tokens are not known).

    Args:
        texts: Scored texts, all with the same signals and other systems.
        aggregations: How token values become one, where that is defined for a signal.
        seed: Of the noise.
    """
    scored = [text.scored for text in texts]
    columns = [
        _column(signal, how, [_value(text, signal, how) for text in texts])
        for signal in scored[0].signals
        for how in _possible(texts, signal, aggregations)
    ]
    if all(one.quality is not None for one in scored):
        # A probability of the text itself, which means of token probabilities are not
        columns.append(
            Column(
                signal=Signal.QUALITY.value,
                aggregation="of the text",
                values=np.array([one.quality for one in scored], dtype=np.float64),
                is_probability=True,
            )
        )
    for name in texts[0].others:
        columns.append(_plain(name, np.array([text.others[name] for text in texts])))
    lengths = [-float(len(s.tokens) or len(s.hypothesis)) for s in scored]
    columns.append(_plain(LENGTH, np.array(lengths)))
    columns.append(_plain(RANDOM, np.random.default_rng(seed).random(len(texts))))
    return tuple(columns)


def pieces(texts: Sequence[JudgedText], unit: Unit, *, seed: int = 0) -> Pieces:
    """One value a word or token, and whether the gold calls it wrong.

    A word has the value of its worst token. The baselines are ``random`` and ``length`` (minus
    the number of characters: long words are often rare).

    Args:
        texts: Scored texts with tokens and error marks.
        unit: Words or tokens.
        seed: Of the noise.
    """
    signals = texts[0].scored.signals
    values: dict[Signal, list[float]] = {signal: [] for signal in signals}
    wrong: list[bool] = []
    owners: list[int] = []
    ranges: list[Range] = []
    for number, text in enumerate(texts):
        errors = text.error_ranges
        assert errors is not None
        for place, bad, tokens in _pieces_of(text.scored, unit, errors):
            ranges.append(place)
            wrong.append(bad)
            owners.append(number)
            for signal in signals:
                worst = aggregate(
                    [getattr(token, signal) for token in tokens], Aggregation.MIN, signal=signal
                )
                assert worst is not None
                values[signal].append(worst)
    columns = [_column(signal, None, found) for signal, found in values.items()]
    columns.append(_plain(LENGTH, np.array([float(a - b) for a, b in ranges])))
    columns.append(_plain(RANDOM, np.random.default_rng(seed).random(len(ranges))))
    of_texts = np.array(owners, dtype=np.int64)
    return Pieces(
        unit=unit,
        columns=tuple(columns),
        wrong=np.array(wrong, dtype=np.bool_),
        texts=of_texts,
        groups=group_numbers(texts)[of_texts],
        ranges=tuple(ranges),
    )


def shares_below(values: Floats) -> Floats:
    """Share of the values below each, ties and itself counted half, ``(N,)``, in (0, 1)."""
    shares: Floats = (rankdata(values) - 0.5) / len(values)
    return shares


def _pieces_of(
    scored: ScoredHypothesis, unit: Unit, errors: Sequence[Range]
) -> Iterator[tuple[Range, bool, tuple[ScoredToken, ...]]]:
    if unit is Unit.TOKEN:
        for token in scored.tokens:
            if token.start < token.end:
                place = (token.start, token.end)
                yield place, is_marked(place, errors), (token,)
        return
    if unit is Unit.GAP:
        yield from _gaps_of(scored)
        return
    if scored.tags is not None:
        marked = list(zip(scored.tags.ranges, scored.tags.bad, strict=True))
    else:
        marked = [((w.start, w.end), is_marked((w.start, w.end), errors)) for w in scored.words]
    for place, bad in marked:
        if tokens := scored.tokens_in(*place):
            yield place, bad, tokens


def _gaps_of(
    scored: ScoredHypothesis,
) -> Iterator[tuple[Range, bool, tuple[ScoredToken, ...]]]:
    if scored.tags is None or scored.tags.bad_gaps is None:
        return
    end = len(scored.hypothesis)
    for place, bad in zip((*scored.tags.ranges, (end, end)), scored.tags.bad_gaps, strict=True):
        after = scored.tokens_in(*place) or scored.special_tokens
        if after:
            yield place, bad, after[:1]


def _value(text: JudgedText, signal: Signal, how: Aggregation) -> float | None:
    return text.scored.aggregate(how, signal=signal) if text.means is None else text.means[signal]


def _possible(
    texts: Sequence[JudgedText], signal: Signal, wanted: Sequence[Aggregation | str]
) -> list[Aggregation]:
    if any(text.means is not None for text in texts):
        return [Aggregation.MEAN]  # rows of sentence level know nothing else
    return [how for how in map(Aggregation, wanted) if how.is_defined_for(signal)]


def _column(
    signal: Signal, aggregation: Aggregation | None, values: Sequence[float | None]
) -> Column:
    array = np.array(values, dtype=np.float64)
    return Column(
        signal=signal.value if signal.higher_is_better else f"-{signal.value}",
        aggregation=None if aggregation is None else aggregation.value,
        values=array if signal.higher_is_better else -array,
        # Calibrated for tokens, `quality` claims nothing about texts under any aggregation
        is_probability=signal.is_probability
        and not (signal is Signal.QUALITY and aggregation is not None),
    )


def _plain(name: str, values: Floats) -> Column:
    return Column(signal=name, aggregation=None, values=values, is_probability=False)
