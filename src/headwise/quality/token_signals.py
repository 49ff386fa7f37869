"""Signals of flat token positions, and their assembly into records."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from headwise.backbones import EncodedPair, LanguageBackbone
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import Alternative, ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Signal
from headwise.functional import LargestDrop, vocabulary_statistics
from headwise.functional.vocabulary_statistics import VocabularyStatistics
from headwise.heads import ErrorHead
from headwise.quality.calibration.record import Calibration
from headwise.quality.signal_request import QualityHeads, SignalRequest


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
    """Let an error head read texts.

    Args:
        head: What reads.
        hidden: Hidden states that predict the tokens, ``(N, H)``.
        rows: The tokens' rows of the unembedding, ``(N, H)``.
        texts: For each text the positions that are read, in order.
        statistics: Of the N positions, if the head reads them.
        ended: Whether the texts are whole.
    """
    places = [place for text in texts for place in text]
    index = torch.tensor(places, dtype=torch.long, device=hidden.device)
    numbers = None
    if head.statistics:
        assert statistics is not None
        assert statistics.entropy is not None
        assert statistics.rank is not None
        ranks = statistics.rank.float().log()
        numbers = torch.stack([statistics.log_prob, statistics.entropy, ranks], dim=-1)[index]
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
        columns: One list of N values a signal, by the signal's name; ``None`` where nothing is
            known.
        alternatives: For each position its alternatives, or ``None`` if not asked for.
        base: The signal that ``quality`` is made of, or ``None`` if that was not asked for.
        missing: Probability that something is missing in the gap *before* each position, or
            ``None`` if ``omission`` was not asked for.
    """

    columns: Mapping[str, Sequence[float | None]]
    alternatives: list[tuple[Alternative, ...]] | None
    base: list[float | None] | None = None
    missing: list[float | None] | None = None

    def token(self, index: int, place: PlacedToken) -> ScoredToken:
        """The record of one position; nothing is missing after a token that closes the text."""
        values = {name: column[index] for name, column in self.columns.items()}
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


def compute_signals(
    backbone: LanguageBackbone,
    heads: QualityHeads,
    hidden: Tensor,
    targets: Tensor,
    request: SignalRequest,
    *,
    texts: Sequence[Sequence[int]],
    ended: bool = True,
) -> TokenSignals:
    """Compute what was asked for, and nothing else.

    Args:
        backbone: Its unembedding runs only if a softmax-based signal or alternatives are asked
            for, or the error head reads statistics of it.
        heads: Score the targets; a head may be missing whose signals are not asked for.
        hidden: Hidden states that predict the targets, ``(N, H)``.
        targets: Token ids, ``(N,)``.
        request: What to compute.
        texts: For each text the positions that the error head reads, in order: its tokens and at
            most one that closes it. Other positions have no ``error`` and ``omission``.
        ended: Whether the texts are whole, rather than windows of a text that goes on.
    """
    columns: dict[Signal, Tensor] = {}
    computed = request.computed
    if Signal.SIGMOID in computed:
        assert heads.sigmoid is not None
        columns[Signal.SIGMOID] = heads.sigmoid.score(hidden, targets)
    alternatives = statistics = None
    reads_statistics = (
        request.needs_error_head and heads.error is not None and heads.error.statistics
    )
    if (
        request.alternatives
        or reads_statistics
        or any(signal.needs_vocabulary for signal in computed)
    ):
        statistics = vocabulary_statistics(
            hidden,
            backbone.unembedding,
            targets,
            entropy=reads_statistics or Signal.ENTROPY in computed,
            rank=reads_statistics or Signal.RANK in computed,
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
    values: dict[Signal, list[float | None]] = {s: c.tolist() for s, c in columns.items()}
    missing = None
    if request.needs_error_head:
        assert heads.error is not None
        errors = error_signals(
            heads.error,
            hidden,
            backbone.unembedding.weight[targets],
            texts,
            statistics=statistics,
            ended=ended,
        )
        values |= {Signal.ERROR: errors.wrong, Signal.OMISSION: errors.omission}
        missing = errors.missing if Signal.OMISSION in computed else None
    base = None
    if request.quality is not None:
        base = values[request.quality.signal]
        values[Signal.QUALITY] = _qualities(base, request.quality)
    shown = {signal.value: values[signal] for signal in request.signals}
    return TokenSignals(shown, alternatives, base, missing)


def _qualities(base: Sequence[float | None], calibration: Calibration) -> list[float | None]:
    """Probabilities that tokens are right, where what they are made of is known."""
    known = calibration.token_quality([value for value in base if value is not None]).tolist()
    found = iter(known)
    return [None if value is None else next(found) for value in base]


def text_fields(
    values: TokenSignals, positions: Sequence[int], request: SignalRequest
) -> dict[str, Any]:
    """What is known of a whole text, as fields of its record.

    Args:
        values: Signals of N positions.
        positions: Those of the text's tokens, special ones left out.
        request: What was asked for.
    """
    fields: dict[str, Any] = {}
    if request.quality is not None and values.base is not None:
        base = [value for i in positions if (value := values.base[i]) is not None]
        fields |= {
            "quality": request.quality.sentence_quality(base),
            "threshold": request.quality.threshold,
        }
    if values.missing is not None and len(positions):
        fields["opening_omission"] = values.missing[positions[0]]
    return fields


def score_encoded(
    backbone: LanguageBackbone,
    heads: QualityHeads,
    pairs: Sequence[Pair],
    encoded: Sequence[EncodedPair],
    hidden: Tensor,
    request: SignalRequest,
) -> list[ScoredHypothesis]:
    """Score one batch.

    Args:
        backbone: The frozen language model.
        heads: Its heads.
        pairs: B pairs.
        encoded: The same pairs as token ids.
        hidden: Hidden states that predict all their targets, ``(N, H)``, pair after pair.
        request: What to compute.
    """
    flat = [target for pair in encoded for target in pair.targets]
    targets = torch.tensor(flat, device=hidden.device)
    signals = compute_signals(
        backbone, heads, hidden, targets, request, texts=_read_positions(encoded)
    )
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
                **text_fields(signals, range(offset, offset + len(codes.ranges)), request),
            )
        )
        offset += len(codes.targets)
    return scored


def _read_positions(encoded: Sequence[EncodedPair]) -> list[range]:
    """What an error head reads of each text: its tokens and the first one that closes it."""
    texts, offset = [], 0
    for codes in encoded:
        count = len(codes.targets)
        texts.append(range(offset, offset + min(len(codes.ranges) + 1, count)))
        offset += count
    return texts


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
