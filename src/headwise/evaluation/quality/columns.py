"""All signals as columns of numbers, each the higher the better: of texts, of words, of tokens."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwise.choices import Unit
from headwise.data.records.error_spans import Range
from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Aggregation, Signal, aggregate, values_of
from headwise.data.records.token_marks import token_marks
from headwise.evaluation.quality.judged_texts import JudgedText, group_numbers
from headwise.evaluation.statistics.columns import (
    DEFAULT_AGGREGATIONS,
    LENGTH,
    RANDOM,
    SignalColumn,
    plain_column,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedUnits:
    """Words or tokens of many texts, one after another.

    Attributes:
        wrong: Whether the gold calls them wrong, ``(N,)``, bool.
        texts: Which text each belongs to, ``(N,)``.
        groups: Which group of texts each belongs to, ``(N,)``.
    """

    unit: Unit
    columns: tuple[SignalColumn, ...]
    wrong: NDArray[np.bool_]
    texts: NDArray[np.int64]
    groups: NDArray[np.int64]
    ranges: tuple[Range, ...]


def text_columns(
    texts: Sequence[JudgedText],
    *,
    aggregations: Sequence[Aggregation | str] = DEFAULT_AGGREGATIONS,
    seed: int = 0,
) -> tuple[SignalColumn, ...]:
    """One value a text: every signal under every aggregation, other systems, two baselines.

    The baselines are ``random`` (uniform noise) and ``length`` (minus the number of tokens, or of
    characters where tokens are not known). An aggregation counts for signals that it is defined
    for; all texts have the same signals and other systems.
    """
    scored = [text.scored for text in texts]
    columns = list(
        _columns(
            (signal, how, [_value(text, signal, how) for text in texts])
            for signal in scored[0].signals
            for how in _possible(texts, signal, aggregations)
        )
    )
    if all(one.quality is not None for one in scored):
        # A probability of the text itself, which means of token probabilities are not
        columns.append(
            SignalColumn(
                signal=Signal.QUALITY.value,
                aggregation="of the text",
                values=np.array([one.quality for one in scored], dtype=np.float64),
                is_probability=True,
            )
        )
    if all(one.ranking_score is not None for one in scored):
        worths = np.array([one.ranking_score for one in scored], dtype=np.float64)
        columns.append(
            SignalColumn(
                signal=Signal.QUALITY.value,
                aggregation="for ranking",
                values=worths,
                is_probability=False,
            )
        )
    for name in texts[0].others:
        columns.append(plain_column(name, np.array([text.others[name] for text in texts])))
    lengths = [-float(len(s.tokens) or len(s.hypothesis)) for s in scored]
    if any(lengths):  # rows that hold no texts have none
        columns.append(plain_column(LENGTH, np.array(lengths)))
    columns.append(plain_column(RANDOM, np.random.default_rng(seed).random(len(texts))))
    return tuple(columns)


def judged_units(texts: Sequence[JudgedText], unit: Unit, *, seed: int = 0) -> JudgedUnits:
    """One value a word or token, and whether the gold calls it wrong.

    A word has the value of its worst token. Only gaps have ``omission``, which says nothing of
    words and tokens. The baselines are ``random`` and ``length`` (minus
    the number of characters: long words are often rare).
    """
    of_gaps = unit is Unit.GAP
    signals = [s for s in texts[0].scored.signals if of_gaps or s is not Signal.OMISSION]
    values: dict[Signal, list[float | None]] = {signal: [] for signal in signals}
    wrong: list[bool] = []
    owners: list[int] = []
    ranges: list[Range] = []
    for number, text in enumerate(texts):
        for place, bad, tokens in _units_of(text.scored, unit):
            ranges.append(place)
            wrong.append(bad)
            owners.append(number)
            for signal in signals:
                values[signal].append(
                    _omission_before(tokens[0], text.scored)
                    if signal is Signal.OMISSION
                    else aggregate(values_of(tokens, signal), Aggregation.MIN, signal=signal)
                )
    columns = list(_columns((signal, None, found) for signal, found in values.items()))
    columns.append(plain_column(LENGTH, np.array([float(a - b) for a, b in ranges])))
    columns.append(plain_column(RANDOM, np.random.default_rng(seed).random(len(ranges))))
    of_texts = np.array(owners, dtype=np.int64)
    return JudgedUnits(
        unit=unit,
        columns=tuple(columns),
        wrong=np.array(wrong, dtype=np.bool_),
        texts=of_texts,
        groups=group_numbers(texts)[of_texts],
        ranges=tuple(ranges),
    )


def _units_of(
    scored: ScoredHypothesis, unit: Unit
) -> Iterator[tuple[Range, bool, tuple[ScoredToken, ...]]]:
    assert scored.errors is not None
    if unit is Unit.TOKEN:
        tokens = [token for token in scored.text_tokens if token.start < token.end]
        places = [(token.start, token.end) for token in tokens]
        wrong = token_marks(places, scored.errors, scored.hypothesis).wrong
        for token, place, bad in zip(tokens, places, wrong, strict=True):
            yield place, bad, (token,)
        return
    if unit is Unit.GAP:
        yield from _gaps_of(scored)
        return
    if scored.tags is not None:
        marked = zip(scored.tags.ranges, scored.tags.bad, strict=True)
    else:
        words = [(word.start, word.end) for word in scored.words]
        wrong = token_marks(words, scored.errors, scored.hypothesis).wrong
        marked = zip(words, wrong, strict=True)
    for place, bad in marked:
        if inside := scored.tokens_in(*place):
            yield place, bad, inside


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


def _omission_before(token: ScoredToken, scored: ScoredHypothesis) -> float | None:
    """Omission of the gap that ends with a token, which the one before it has."""
    tokens = scored.tokens + scored.special_tokens
    number = next(index for index, one in enumerate(tokens) if one is token)
    return tokens[number - 1].omission if number else scored.opening_omission


def _value(text: JudgedText, signal: Signal, how: Aggregation) -> float | None:
    return text.scored.aggregate(how, signal=signal) if text.means is None else text.means[signal]


def _possible(
    texts: Sequence[JudgedText], signal: Signal, wanted: Sequence[Aggregation | str]
) -> list[Aggregation]:
    if any(text.means is not None for text in texts):
        return [Aggregation.MEAN]  # rows of sentence level know nothing else
    return [how for how in map(Aggregation, wanted) if how.is_defined_for(signal)]


def _columns(
    found: Iterable[tuple[Signal, Aggregation | None, Sequence[float | None]]],
) -> Iterator[SignalColumn]:
    for signal, aggregation, values in found:
        # As of the gap at the end of a text that no token closes
        if None in values:
            how = "" if aggregation is None else f" ({aggregation.value})"
            logger.warning(
                "%s%s is left out: it is not known of %d of %d items, and all columns must have "
                "the same ones.",
                *(signal.value, how, values.count(None), len(values)),
            )
            continue
        as_it_is = signal.higher_is_better or signal.is_probability
        yield SignalColumn(
            signal=signal.value if as_it_is else f"-{signal.value}",
            aggregation=None if aggregation is None else aggregation.value,
            values=signal.oriented(np.array(values, dtype=np.float64)),
            # Calibrated for tokens, `quality` claims nothing about texts under any aggregation
            is_probability=signal.is_probability
            and not (signal is Signal.QUALITY and aggregation is not None),
        )
