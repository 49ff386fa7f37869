"""Score tokens that arrive one by one, each as soon as its signals can be known."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from headwise.backbones.encodings import PlacedToken
from headwise.backbones.generation.stopping import Stops
from headwise.backbones.generation.written_text import HypothesisWriter
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import Alternative, ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Signal
from headwise.functional import VocabularyStatistics
from headwise.heads import ErrorReader
from headwise.quality.scorer import Scorer
from headwise.quality.token_signals import (
    TokenSignals,
    Values,
    alternatives,
    read_statistics,
)


class StreamScorer:
    """Scores tokens that arrive one by one.

    A token waits for as many tokens after it as its signals look at: none for most; for ``error``
    the delay of the error head, and one more for ``omission``, which is about the gap after the
    token. The error head does not see the end of the text, which is not there yet.

    Args:
        closes: Whether the error head reads the first special token after the text, as it does
            where a token closes the texts that are scored. It reads no other one.
        stops: What ends the text, and is cut off.

    Attributes:
        writer: What has been written.
    """

    def __init__(self, scorer: Scorer, *, closes: bool = True, stops: Stops | None = None) -> None:
        if scorer.runs_vocabulary:
            _ = scorer.backbone.unembedding  # compared with the model before this generates
        self._scorer, self._backbone = scorer, scorer.backbone
        self._special_ids = scorer.backbone.special_ids
        head = scorer.needed.error
        self._reader = None if head is None else ErrorReader(head)
        gaps = Signal.OMISSION in scorer.request.computed
        self._ahead = 0 if head is None else head.delay + gaps
        self._closes = closes
        self.writer = HypothesisWriter(scorer.backbone, stops)
        self._states: deque[_State] = deque()
        self._first = 0  # index of the first of these states
        self._unjudged: deque[_State] = deque()  # those that the error head has read
        self._judged: _State | None = None  # the last one that it has judged
        self._placed: deque[PlacedToken] = deque()
        self._handed_out: list[tuple[PlacedToken, TokenSignals]] = []

    def push(self, token_id: int, hidden: Tensor) -> Iterator[ScoredToken]:
        """Add a token with the hidden states of the scorer's layers that predict it, ``(H,)``.

        Yields tokens whose place and signals are now known, in order.
        """
        self._placed += self.writer.push(token_id)
        special = token_id in self._special_ids
        if special and not self._states:
            self._first += 1  # a language code, for instance: no part of the text
            return
        self._add(token_id, hidden, read=self._closes or not special)
        self._closes = self._closes and not special
        arrived = self._first + len(self._states)
        while self._placed and self._placed[0].index + self._ahead < arrived:
            yield self._scored(self._placed.popleft())

    def finish(self) -> Iterator[ScoredToken]:
        """The tokens that still wait, when no more will arrive."""
        self._placed += self.writer.finish()
        self._end_reading()
        while self._placed:
            yield self._scored(self._placed.popleft())

    def scored(self, pair: Pair) -> ScoredHypothesis:
        """The record of all tokens that were handed out; ``pair`` has their text."""
        places = [
            PlacedToken(number, one.token_id, one.text, one.start, one.end, one.special)
            for number, (one, _) in enumerate(self._handed_out)
        ]
        signals = [signals for _, signals in self._handed_out]
        return TokenSignals.joined(signals, self._scorer.request).scored(pair, places)

    @torch.inference_mode()
    def _add(self, token_id: int, hidden: Tensor, *, read: bool) -> None:
        """Compute what a position says alone, and let the error head read it."""
        row, target = hidden.unsqueeze(0), torch.tensor([token_id], device=hidden.device)
        columns, statistics = self._scorer.signals_alone(row, target)
        named = alternatives(self._backbone, statistics)
        state = _State({s: column.tolist() for s, column in columns.items()}, named)
        self._states.append(state)
        if self._reader is None:
            return
        if read:
            self._unjudged.append(state)
            self._read(self._reader, row, target, statistics)
        else:
            self._end_reading()

    def _read(
        self,
        reader: ErrorReader,
        hidden: Tensor,
        target: Tensor,
        statistics: VocabularyStatistics | None,
    ) -> None:
        head = reader.head
        own = self._backbone.of_layers(hidden, self._scorer.layers, head.layers)
        numbers = None
        if head.statistics:
            assert statistics is not None
            numbers = read_statistics(statistics)
        self._judge(reader.push(own, self._backbone.token_rows(target), numbers))

    def _end_reading(self) -> None:
        if self._reader is not None:
            self._judge(self._reader.finish())
            self._judged = None

    def _judge(self, found: tuple[float, float] | None) -> None:
        if found is None:
            return
        state = self._unjudged.popleft()
        state.wrong, state.missing = found
        if self._judged is not None:
            self._judged.omission = state.missing
        self._judged = state

    def _scored(self, place: PlacedToken) -> ScoredToken:
        while self._first < place.index:
            self._states.popleft()
            self._first += 1
        state, request = self._states[0], self._scorer.request
        values, missing = state.values, None
        if self._reader is not None:
            values = {**values, Signal.ERROR: [state.wrong], Signal.OMISSION: [state.omission]}
            missing = [state.missing] if Signal.OMISSION in request.computed else None
        signals = TokenSignals.of(values, request, alternatives=state.alternatives, missing=missing)
        self._handed_out.append((place, signals))
        if request.quality is None or not request.quality.blend.reads_context:
            return signals.token(0, place)
        # Its text is what has been written so far
        own = [i for i, (one, _) in enumerate(self._handed_out) if not one.special]
        joined = TokenSignals.joined([one for _, one in self._handed_out], request)
        last = len(self._handed_out) - 1
        return joined.in_context(own, [last] if place.special else []).token(last, place)


@dataclass(slots=True)
class _State:
    """What is known of a token so far: of itself, and from the error head of the gaps around it."""

    values: dict[Signal, Values]
    alternatives: list[tuple[Alternative, ...]] | None
    wrong: float | None = None
    missing: float | None = None
    omission: float | None = None
