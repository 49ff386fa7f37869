"""Signals of flat token positions as plain values, and the records that they become."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress, pairwise
from typing import Any

import torch
from torch import Tensor

from headwise.backbones import LanguageBackbone
from headwise.backbones.encodings import PlacedToken
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import Alternative, ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Signal
from headwise.data.records.words import is_inside, placeholder_ranges
from headwise.functional.vocabulary_statistics import VocabularyStatistics
from headwise.heads import ErrorHead
from headwise.quality.calibration.blend import Feature, aggregated
from headwise.quality.signal_request import SignalRequest

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class ErrorSignals:
    """Probabilities of N positions; ``None`` where the head reads nothing.

    Attributes:
        wrong: That the token is wrong.
        missing: That something is missing in the gap *before* it.
        omission: That something is missing in the gap *after* it; ``None`` at the end of a text
            too.
    """

    wrong: list[float | None]
    missing: list[float | None]
    omission: list[float | None]


def error_signals(
    head: ErrorHead,
    hidden: Tensor,
    rows: Tensor,
    texts: Sequence[Sequence[int]],
    *,
    statistics: VocabularyStatistics | None,
    ended: bool,
) -> ErrorSignals:
    """Let an error head read texts: for each of them, some of N positions in order.

    ``hidden`` predicts the tokens and ``rows`` are theirs of the unembedding, both ``(N, H)``.
    """
    places = [place for text in texts for place in text]
    index = torch.tensor(places, dtype=torch.long, device=hidden.device)
    numbers = None
    if head.statistics:
        assert statistics is not None
        numbers = read_statistics(statistics)[index]
    scores = head.score(
        hidden[index], rows[index], [len(text) for text in texts], statistics=numbers, ended=ended
    )
    count = len(hidden)
    found = ErrorSignals([None] * count, [None] * count, [None] * count)
    for place, (wrong, missing) in zip(places, scores.tolist(), strict=True):
        found.wrong[place], found.missing[place] = wrong, missing
    for text in texts:
        for place, following in pairwise(text):
            found.omission[place] = found.missing[following]
    return found


def read_statistics(statistics: VocabularyStatistics) -> Tensor:
    """What an error head with statistics among its inputs reads of N positions, ``(N, 3)``."""
    assert statistics.entropy is not None
    assert statistics.rank is not None
    ranks = statistics.rank.float().log()
    return torch.stack([statistics.log_prob, statistics.entropy, ranks], dim=-1)


def alternatives(
    backbone: LanguageBackbone, statistics: VocabularyStatistics | None
) -> list[tuple[Alternative, ...]] | None:
    """The language model's own choices for each position, if they were asked for."""
    if statistics is None or statistics.top_ids is None or statistics.top_log_probs is None:
        return None
    decode = backbone.tokenizer.decode
    names = {
        # Padded rows, and marks that a decoder leaves out, have their name
        token: str(decode([token], clean_up_tokenization_spaces=False))
        or backbone.token_name(token)
        for token in statistics.top_ids.unique().tolist()
    }
    return [
        tuple(Alternative(names[i], p) for i, p in zip(ids, probabilities, strict=True))
        for ids, probabilities in zip(
            statistics.top_ids.tolist(), statistics.top_log_probs.exp().tolist(), strict=True
        )
    ]


@dataclass(frozen=True, slots=True)
class TokenSignals:
    """Signals of N positions as plain Python values.

    Attributes:
        columns: N values for each signal that was asked for; ``None`` where nothing is known.
        alternatives: For each position its alternatives, or ``None`` if not asked for.
        base: What the numbers of whole texts are made of that come with ``quality``, N values for
            each signal; none if that was not asked for.
        missing: Probability that something is missing in the gap *before* each position, or
            ``None`` if ``omission`` was not asked for.
    """

    columns: Mapping[Signal, Values]
    request: SignalRequest
    alternatives: Sequence[tuple[Alternative, ...]] | None = None
    base: Mapping[Signal, Values] = field(default_factory=dict)
    missing: Values | None = None

    @classmethod
    def of(
        cls,
        values: Mapping[Signal, Values],
        request: SignalRequest,
        *,
        alternatives: Sequence[tuple[Alternative, ...]] | None,
        missing: Values | None,
    ) -> "TokenSignals":
        """Add ``quality`` to the signals that were computed, and drop what nobody asked for."""
        found = dict(values)
        if (calibration := request.quality) is not None and calibration.blend.reads_context:
            found[Signal.QUALITY] = [None] * len(next(iter(values.values())))  # see `in_context`
        elif calibration is not None:
            needed = {signal: values[signal] for signal in calibration.blend.signals}
            # Tokens that the error head did not read have no probability either
            known = [all(v is not None for v in row) for row in zip(*needed.values(), strict=True)]
            columns: dict[Feature, list[float]] = {
                signal: [v for v in compress(column, known) if v is not None]
                for signal, column in needed.items()
            }
            quality = iter(calibration.token_quality(columns).tolist())
            found[Signal.QUALITY] = [next(quality) if is_known else None for is_known in known]
        base = {signal: found[signal] for signal in request.of_texts}
        asked = {signal: found[signal] for signal in request.signals}
        return cls(asked, request, alternatives, base, missing)

    @classmethod
    def joined(cls, parts: Sequence["TokenSignals"], request: SignalRequest) -> "TokenSignals":
        """Signals of one position each as those of all of them."""

        def column(name: str) -> list[Any] | None:
            found = [getattr(part, name) for part in parts]
            return None if None in found else [values[0] for values in found]

        columns = {s: [part.columns[s][0] for part in parts] for s in request.signals}
        base = {s: [part.base[s][0] for part in parts] for s in request.of_texts}
        named, missing = map(column, ("alternatives", "missing"))
        return cls(columns, request, named, base, missing)

    def in_context(self, own: Sequence[int], closing: Sequence[int] = ()) -> "TokenSignals":
        """The same with the ``quality`` of a text's tokens, if that weighs their text as well.

        Args:
            own: Positions of the text's own tokens, by which the text is judged.
            closing: Of those that close it.
        """
        calibration = self.request.quality
        if calibration is None or not calibration.blend.reads_context:
            return self
        features, quality = calibration.blend.features, list(self.columns[Signal.QUALITY])
        of_text = {
            signal: [v for i in own if (v := column[i]) is not None]
            for signal, column in self.base.items()
        }
        context: dict[Feature, float | None] = {
            f: aggregated(of_text, f) for f in features if not isinstance(f, Signal)
        }
        for index in (*own, *closing):
            known: dict[Feature, list[float]] = {}
            for feature in features:
                of_token = self.base[feature][index] if isinstance(feature, Signal) else None
                value = context.get(feature, of_token)
                known |= {} if value is None else {feature: [value]}
            # Tokens that the error head did not read have no probability
            if len(known) == len(features):
                quality[index] = float(calibration.token_quality(known)[0])
        base = {**self.base}
        if Signal.QUALITY in base:
            base[Signal.QUALITY] = quality
        return replace(self, columns={**self.columns, Signal.QUALITY: quality}, base=base)

    def token(self, index: int, place: PlacedToken) -> ScoredToken:
        """The record of one position; nothing is missing after a token that closes the text."""
        values = {signal.value: column[index] for signal, column in self.columns.items()}
        if place.special:
            values.pop(Signal.OMISSION.value, None)
        return ScoredToken(
            token_id=place.token_id,
            text=place.text,
            start=place.start,
            end=place.end,
            special=place.special,
            alternatives=None if self.alternatives is None else self.alternatives[index],
            **values,
        )

    def scored(self, pair: Pair, places: Iterable[PlacedToken]) -> ScoredHypothesis:
        """The record of a text whose tokens are at these places, special ones last."""
        placed = list(places)
        indices = [place.index for place in placed if not place.special]
        signals = self.in_context(indices, [one.index for one in placed if one.special])
        own = [signals.token(one.index, one) for one in placed if not one.special]
        special = [signals.token(one.index, one) for one in placed if one.special]
        quality = ranking = opening = None
        if (calibration := self.request.quality) is not None and self.base:
            placeholders = placeholder_ranges(pair.hypothesis)
            inside = [
                index
                for index, token in zip(indices, own, strict=True)
                if not is_inside(token.start, token.end, pair.hypothesis, placeholders)
            ]
            base = {
                signal: [value for i in inside if (value := column[i]) is not None]
                for signal, column in signals.base.items()
            }
            quality = calibration.sentence_quality(base) if self.request.texts else None
            ranking = None if (by := self.request.ranking) is None else by.of_text(base)
        if self.missing is not None and indices:
            opening = self.missing[indices[0]]
        return ScoredHypothesis(
            source=pair.source,
            hypothesis=pair.hypothesis,
            tokens=tuple(own),
            special_tokens=tuple(special),
            signals=self.request.signals,
            extra=dict(pair.extra) or None,
            errors=pair.errors,
            tags=pair.tags,
            quality=quality,
            ranking_score=ranking,
            threshold=self.request.threshold,
            segment_threshold=self.request.segment_threshold,
            line=pair.line,
            opening_omission=opening,
        )
