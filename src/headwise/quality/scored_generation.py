"""Score what is generated: a whole text, or each token as soon as its signals can be known."""

from collections import deque
from collections.abc import Iterator
from itertools import islice, takewhile
from typing import Any

import torch
from torch import Tensor

from headwise.backbones import LanguageBackbone
from headwise.data.scored import ScoredHypothesis, ScoredToken
from headwise.data.signals import Signal
from headwise.quality.generation import generate_tokens, stream_tokens
from headwise.quality.heads import QualityHeads
from headwise.quality.signal_request import SignalRequest
from headwise.quality.token_signals import PlacedToken, compute_signals
from headwise.quality.writing import HypothesisWriter, written_hypothesis


def generate_scored(
    backbone: LanguageBackbone,
    heads: QualityHeads,
    source: str | None,
    inputs: dict[str, Any],
    options: dict[str, Any],
    request: SignalRequest,
) -> ScoredHypothesis:
    """Generate a hypothesis and score it as a whole text, from the same pass.

    Args:
        backbone: The frozen language model.
        heads: Its heads.
        source: What it answers to or translates.
        inputs: What generation starts from.
        options: Options of ``model.generate``.
        request: What to compute.
    """
    with torch.inference_mode():
        generated = generate_tokens(backbone, inputs, options)
        targets = torch.tensor(generated.token_ids, device=generated.hidden.device).long()
        # Special tokens before the text (language codes, for instance) are no part of it
        opening = len(list(takewhile(backbone.special_ids.__contains__, generated.token_ids)))
        counts = [opening, len(targets) - opening]
        values = compute_signals(backbone, heads, generated.hidden, targets, request, counts=counts)
    return written_hypothesis(backbone, source, generated.token_ids, values, request)


def stream_scored(
    backbone: LanguageBackbone,
    heads: QualityHeads,
    inputs: dict[str, Any],
    options: dict[str, Any],
    request: SignalRequest,
) -> Iterator[ScoredToken]:
    """Generate, and hand out each token with its signals.

    Args:
        backbone: The frozen language model.
        heads: Its heads.
        inputs: What generation starts from.
        options: Options of ``model.generate``.
        request: What to compute.

    Yields:
        Tokens in order. Those that wait when generation ends follow then.
    """
    scorer = StreamScorer(backbone, heads, request)
    for token_id, hidden in stream_tokens(backbone, inputs, options):
        yield from scorer.push(token_id, hidden)
    yield from scorer.finish()


class StreamScorer:
    """Scores tokens that arrive one by one.

    A token waits for as many tokens after it as its signals look at: none for most; for ``error``
    the delay of the error head, and one more for ``omission``, which is about the gap after the
    token. The error head does not see the end of the text, which is not there yet.
    """

    def __init__(
        self, backbone: LanguageBackbone, heads: QualityHeads, request: SignalRequest
    ) -> None:
        self._backbone, self._heads, self._request = backbone, heads, request
        self._back, self._ahead = _reach(heads, request)
        self._writer = HypothesisWriter(backbone)
        self._states: deque[tuple[int, Tensor]] = deque()
        self._first = 0  # index of the first of these states
        self._placed: deque[PlacedToken] = deque()

    def push(self, token_id: int, hidden: Tensor) -> Iterator[ScoredToken]:
        """Add a token with the hidden state that predicts it, ``(H,)``.

        Yields:
            Tokens whose place and signals are now known, in order.
        """
        self._placed += self._writer.push(token_id)
        if not self._states and token_id in self._backbone.special_ids:
            self._first += 1  # a language code, for instance: no part of the text
            return
        self._states.append((token_id, hidden))
        arrived = self._first + len(self._states)
        while self._placed and self._placed[0].index + self._ahead < arrived:
            yield self._scored(self._placed.popleft())

    def finish(self) -> Iterator[ScoredToken]:
        """The tokens that still wait, when no more will arrive."""
        self._placed += self._writer.finish()
        while self._placed:
            yield self._scored(self._placed.popleft())

    def _scored(self, place: PlacedToken) -> ScoredToken:
        while self._first < place.index - self._back:
            self._states.popleft()
            self._first += 1
        own = place.index - self._first
        window = list(islice(self._states, own + 1 + self._ahead))
        with torch.inference_mode():
            values = compute_signals(
                self._backbone,
                self._heads,
                torch.stack([hidden for _, hidden in window]),
                torch.tensor([token_id for token_id, _ in window], device=window[0][1].device),
                self._request,
                counts=[len(window)],
                ended=False,
            )
        return values.token(own, place)


def _reach(heads: QualityHeads, request: SignalRequest) -> tuple[int, int]:
    """How many tokens before and after a token must be known for all of its signals."""
    if not request.needs_error_head or heads.error is None:
        return 0, 0
    of_gaps = 1 if Signal.OMISSION in request.computed else 0
    return heads.error.lookback, heads.error.delay + of_gaps
