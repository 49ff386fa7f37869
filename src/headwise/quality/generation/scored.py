"""Score what is generated: a whole text, or each token as soon as its signals can be known."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

import torch
from torch import Tensor

from headwise.backbones import PromptTemplate
from headwise.backbones.row_prompts import prompt_of_row
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Signal
from headwise.quality.generation.stopping import Stops
from headwise.quality.generation.tokens import generate_tokens, stream_tokens
from headwise.quality.generation.written_text import (
    HypothesisWriter,
    closing_token,
    read_positions,
    write_hypothesis,
)
from headwise.quality.scorer import Scorer
from headwise.quality.token_signals import PlacedToken


def generate_scored(
    scorer: Scorer,
    source: str | None,
    options: dict[str, Any],
    stop: str | Iterable[str] = (),
    row: Mapping[str, Any] | None = None,
) -> ScoredHypothesis:
    """Generate a hypothesis and score it from the same pass, as the scorer would score it later."""
    scorer = _for_row(scorer, row)
    backbone, prompt = scorer.backbone, scorer.prompt
    inputs = backbone.encode_prompt(source, prompt)
    stops = Stops.of(backbone, source, prompt, stop)
    closing = closing_token(backbone, source, prompt) if scorer.request.needs_error_head else None
    with torch.inference_mode():
        options = stops.added_to(options, backbone, inputs)
        generated = generate_tokens(backbone, inputs, options, scorer.layers)
        written = write_hypothesis(backbone, generated.token_ids, stops)
        read, ended = read_positions(backbone, written, closing)
        targets = torch.tensor(generated.token_ids, device=generated.hidden.device).long()
        signals = scorer.token_signals(generated.hidden, targets, texts=[read], ended=ended)
    return signals.scored(Pair(source, written.text, extra=row or {}), written.places)


def stream_scored(
    scorer: Scorer,
    source: str | None,
    options: dict[str, Any],
    stop: str | Iterable[str] = (),
    row: Mapping[str, Any] | None = None,
) -> Iterator[ScoredToken]:
    """Generate, and hand out each token with its signals; those that wait follow at the end."""
    scorer = _for_row(scorer, row)
    backbone, prompt = scorer.backbone, scorer.prompt
    inputs = backbone.encode_prompt(source, prompt)
    stops = Stops.of(backbone, source, prompt, stop)
    closes = scorer.request.needs_error_head and (
        closing_token(backbone, source, prompt) is not None
    )
    stream = StreamScorer(scorer, closes=closes, stops=stops)
    options = stops.added_to(options, backbone, inputs)
    for token_id, hidden in stream_tokens(backbone, inputs, options, scorer.layers):
        yield from stream.push(token_id, hidden)
    yield from stream.finish()


def _for_row(scorer: Scorer, row: Mapping[str, Any] | None) -> Scorer:
    """The scorer with the prompt of a row; itself if its prompt takes nothing from rows."""
    if not scorer.prompt.columns:
        return scorer
    checked: dict[str, PromptTemplate] = {}
    key = prompt_of_row(scorer.backbone, scorer.prompt, row or {}, checked=checked)
    return replace(scorer, prompt=checked[key])


class StreamScorer:
    """Scores tokens that arrive one by one.

    A token waits for as many tokens after it as its signals look at: none for most; for ``error``
    the delay of the error head, and one more for ``omission``, which is about the gap after the
    token. The error head does not see the end of the text, which is not there yet.

    Args:
        closes: Whether the error head reads the first special token after the text, as it does
            where a token closes the texts that are scored. It reads no other one.
        stops: What ends the text, and is cut off.
    """

    def __init__(self, scorer: Scorer, *, closes: bool = True, stops: Stops | None = None) -> None:
        if scorer.runs_vocabulary:
            _ = scorer.backbone.unembedding  # compared with the model before this generates
        self._backbone, self._layers = scorer.backbone, scorer.layers
        self._special_ids = scorer.backbone.special_ids
        self._parts = _parts(scorer)
        self._back, self._ahead = _reach(scorer)
        self._closes = closes
        self._writer = HypothesisWriter(scorer.backbone, stops)
        self._states: deque[_State] = deque()
        self._first = 0  # index of the first of these states
        self._placed: deque[PlacedToken] = deque()

    def push(self, token_id: int, hidden: Tensor) -> Iterator[ScoredToken]:
        """Add a token with the hidden states of the scorer's layers that predict it, ``(H,)``.

        Yields tokens whose place and signals are now known, in order.
        """
        self._placed += self._writer.push(token_id)
        special = token_id in self._special_ids
        if special and not self._states:
            self._first += 1  # a language code, for instance: no part of the text
            return
        self._states.append(_State(token_id, hidden, read=self._closes or not special))
        self._closes = self._closes and not special
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
        found = [self._part(scorer, place, own) for scorer in self._parts]
        around: dict[str, Any] = {
            name: value for one in found[1:] for name, value in one.as_dict().items()
        }
        return replace(found[0], **around)

    def _part(self, scorer: Scorer, place: PlacedToken, own: int) -> ScoredToken:
        back, ahead = _reach(scorer)
        start = max(0, own - back)
        window = list(islice(self._states, start, own + 1 + ahead))
        with torch.inference_mode():
            hidden = torch.stack([state.hidden for state in window])
            values = scorer.token_signals(
                self._backbone.of_layers(hidden, self._layers, scorer.layers),
                torch.tensor([s.token_id for s in window], device=window[0].hidden.device),
                texts=[[number for number, state in enumerate(window) if state.read]],
                ended=False,
            )
        return values.token(own - start, place)


class _State(NamedTuple):
    """A token, the hidden state that predicts it, and whether the error head reads them."""

    token_id: int
    hidden: Tensor
    read: bool


def _parts(scorer: Scorer) -> list[Scorer]:
    """What needs the token alone, and what looks around: vocabulary-wide work is not repeated."""
    request, error_head = scorer.request, scorer.heads.error
    if not request.needs_error_head or error_head is None or error_head.statistics:
        return [scorer]
    around = tuple(s for s in request.signals if request.base_of(s).needs_error_head)
    alone = tuple(s for s in request.signals if s not in around)
    if not alone and not request.alternatives:
        return [scorer]
    parts = [replace(request, signals=alone), replace(request, signals=around, alternatives=0)]
    return [replace(scorer, request=part) for part in parts]


def _reach(scorer: Scorer) -> tuple[int, int]:
    """How many tokens before and after a token must be known for all of its signals."""
    error_head = scorer.heads.error
    if not scorer.request.needs_error_head or error_head is None:
        return 0, 0
    of_gaps = 1 if Signal.OMISSION in scorer.request.computed else 0
    return error_head.lookback, error_head.delay + of_gaps
