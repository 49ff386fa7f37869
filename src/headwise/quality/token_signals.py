"""Signals of flat token positions, and their assembly into records."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from headwise.backbones import EncodedPair, LanguageBackbone
from headwise.data.pairs import Pair
from headwise.data.scored import Alternative, ScoredHypothesis, ScoredToken
from headwise.data.signals import Signal
from headwise.functional import LargestDrop, vocabulary_statistics
from headwise.heads import QualityHead
from headwise.quality.calibration import Calibration


@dataclass(frozen=True, slots=True)
class SignalRequest:
    """What is to be computed for every token.

    Attributes:
        signals: In the order asked for; the first is the main one.
        alternatives: How many of the language model's most probable tokens to report.
        workspace_bytes: Bound on the memory of vocabulary-wide work.
        calibration: What ``quality`` is made with; needed only if that is asked for.
    """

    signals: tuple[Signal, ...]
    alternatives: int
    workspace_bytes: int
    calibration: Calibration | None = None

    @property
    def computed(self) -> frozenset[Signal]:
        """The signals that the models have to give: for ``quality``, what it is made of."""
        base = set() if self.quality is None else {self.quality.signal}
        return frozenset(base.union(self.signals) - {Signal.QUALITY})

    @property
    def quality(self) -> Calibration | None:
        """The calibration, if ``quality`` is asked for."""
        return self.calibration if Signal.QUALITY in self.signals else None


@dataclass(frozen=True, slots=True)
class PlacedToken:
    """A token and the characters of the hypothesis that it covers.

    Attributes:
        index: Its place among the targets.
        token_id: Its id.
        text: Those characters; for a special token its name.
        start: The first of them.
        end: One past the last.
        special: Whether it closes the sequence instead of carrying text.
    """

    index: int
    token_id: int
    text: str
    start: int
    end: int
    special: bool


@dataclass(frozen=True, slots=True)
class TokenSignals:
    """Signals of N positions as plain Python values.

    Attributes:
        columns: One list of N values a signal, by the signal's name.
        alternatives: For each position its alternatives, or ``None`` if not asked for.
        base: The signal that ``quality`` is made of, or ``None`` if that was not asked for.
    """

    columns: dict[str, list[float]]
    alternatives: list[tuple[Alternative, ...]] | None
    base: list[float] | None = None

    def token(self, index: int, place: PlacedToken) -> ScoredToken:
        """The record of one position."""
        return ScoredToken(
            token_id=place.token_id,
            text=place.text,
            start=place.start,
            end=place.end,
            special=place.special,
            alternatives=None if self.alternatives is None else self.alternatives[index],
            **{name: values[index] for name, values in self.columns.items()},
        )


def compute_signals(
    backbone: LanguageBackbone,
    head: QualityHead | None,
    hidden: Tensor,
    targets: Tensor,
    request: SignalRequest,
) -> TokenSignals:
    """Compute what was asked for, and nothing else.

    Args:
        backbone: Its unembedding runs only if a softmax-based signal or alternatives are asked
            for.
        head: Scores the targets; may be ``None`` if ``sigmoid`` is not asked for.
        hidden: Hidden states that predict the targets, ``(N, H)``.
        targets: Token ids, ``(N,)``.
        request: What to compute.
    """
    columns: dict[Signal, Tensor] = {}
    computed = request.computed
    if Signal.SIGMOID in computed:
        assert head is not None
        columns[Signal.SIGMOID] = head.score(hidden, targets)
    alternatives = None
    if request.alternatives or any(signal.needs_vocabulary for signal in computed):
        statistics = vocabulary_statistics(
            hidden,
            backbone.unembedding,
            targets,
            entropy=Signal.ENTROPY in computed,
            rank=Signal.RANK in computed,
            top_k=request.alternatives,
            selector=LargestDrop() if Signal.BOOSTED in computed else None,
            workspace_bytes=request.workspace_bytes,
        )
        found = {
            Signal.SOFTMAX: statistics.log_prob.exp(),
            Signal.LOGPROB: statistics.log_prob,
            Signal.ENTROPY: statistics.entropy,
            Signal.BOOSTED: statistics.boosted,
            Signal.RANK: statistics.rank,
        }
        columns |= {s: v for s, v in found.items() if s in computed and v is not None}
        if statistics.top_ids is not None and statistics.top_log_probs is not None:
            alternatives = _alternatives(backbone, statistics.top_ids, statistics.top_log_probs)
    values = {signal: column.tolist() for signal, column in columns.items()}
    base = None
    if request.quality is not None:
        base = values[request.quality.signal]
        values[Signal.QUALITY] = request.quality.token_quality(base).tolist()
    return TokenSignals(
        {signal.value: values[signal] for signal in request.signals}, alternatives, base
    )


def text_quality(
    values: TokenSignals, positions: Sequence[int], request: SignalRequest
) -> dict[str, Any]:
    """What a calibration says of a whole text, as fields of its record.

    Args:
        values: Signals of N positions.
        positions: Those of the text's tokens, special ones left out.
        request: What was asked for.
    """
    if request.quality is None or values.base is None:
        return {}
    return {
        "quality": request.quality.sentence_quality([values.base[i] for i in positions]),
        "threshold": request.quality.threshold,
    }


def score_encoded(
    backbone: LanguageBackbone,
    head: QualityHead | None,
    pairs: Sequence[Pair],
    encoded: Sequence[EncodedPair],
    hidden: Tensor,
    request: SignalRequest,
) -> list[ScoredHypothesis]:
    """Score one batch.

    Args:
        backbone: The frozen language model.
        head: Its head.
        pairs: B pairs.
        encoded: The same pairs as token ids.
        hidden: Hidden states that predict all their targets, ``(N, H)``, pair after pair.
        request: What to compute.
    """
    flat = [target for pair in encoded for target in pair.targets]
    targets = torch.tensor(flat, device=hidden.device)
    signals = compute_signals(backbone, head, hidden, targets, request)
    scored, offset = [], 0
    for pair, codes in zip(pairs, encoded, strict=True):
        tokens = [
            signals.token(offset + place.index, place)
            for place in _places(backbone, pair.hypothesis, codes)
        ]
        scored.append(
            ScoredHypothesis(
                source=pair.source,
                hypothesis=pair.hypothesis,
                tokens=tuple(tokens[: len(codes.ranges)]),
                special_tokens=tuple(tokens[len(codes.ranges) :]),
                signals=request.signals,
                extra=dict(pair.extra) or None,
                errors=pair.errors,
                tags=pair.tags,
                **text_quality(signals, range(offset, offset + len(codes.ranges)), request),
            )
        )
        offset += len(codes.targets)
    return scored


def _places(
    backbone: LanguageBackbone, hypothesis: str, codes: EncodedPair
) -> Iterator[PlacedToken]:
    for index, (start, end) in enumerate(codes.ranges):
        yield PlacedToken(
            index, codes.targets[index], hypothesis[start:end], start, end, special=False
        )
    end = len(hypothesis)
    for index in range(len(codes.ranges), len(codes.targets)):
        token_id = codes.targets[index]
        yield PlacedToken(index, token_id, backbone.token_name(token_id), end, end, special=True)


def _alternatives(
    backbone: LanguageBackbone, ids: Tensor, log_probs: Tensor
) -> list[tuple[Alternative, ...]]:
    names = {
        token: str(backbone.tokenizer.decode([token], clean_up_tokenization_spaces=False))
        for token in ids.unique().tolist()
    }
    return [
        tuple(Alternative(names[i], p) for i, p in zip(row_ids, row, strict=True))
        for row_ids, row in zip(ids.tolist(), log_probs.exp().tolist(), strict=True)
    ]
