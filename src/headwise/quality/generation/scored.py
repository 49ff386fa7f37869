"""Score what is generated: a whole text, or each token as soon as its signals can be known."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from headwise.backbones import LanguageBackbone, PromptTemplate
from headwise.backbones.generation.stopping import Stops
from headwise.backbones.generation.tokens import GeneratedTokens, generate_tokens
from headwise.backbones.generation.written_text import (
    Written,
    closing_token,
    read_positions,
    write_hypothesis,
)
from headwise.backbones.row_prompts import prompt_of_row
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.quality.generation.stream_scorer import StreamScorer
from headwise.quality.generation.token_stream import TokenStream
from headwise.quality.scorer import Scorer


def generate_scored(
    scorer: Scorer, asked: Pair, options: dict[str, Any], stop: str | Iterable[str] = ()
) -> ScoredHypothesis:
    """Generate a hypothesis and score it from the same pass, as the scorer would score it later.

    ``asked`` has what it answers to, and the columns that the prompt takes variables from.
    """
    task = _Task.of(scorer, asked, options, stop)
    generated = generate_tokens(task.backbone, task.inputs, task.options, task.scorer.layers)
    return task.scored(generated)[0]


@dataclass(frozen=True, slots=True)
class _Task:
    """What is to be generated: the model's inputs and options, and where the text ends."""

    scorer: Scorer
    asked: Pair
    inputs: dict[str, Tensor]
    options: dict[str, Any]
    stops: Stops
    closing: int | None

    @classmethod
    def of(
        cls, scorer: Scorer, asked: Pair, options: dict[str, Any], stop: str | Iterable[str]
    ) -> "_Task":
        scorer = _for_row(scorer, asked.extra)
        backbone, prompt, source = scorer.backbone, scorer.prompt, asked.given
        inputs = backbone.encode_prompt(source, prompt)
        stops = Stops.of(backbone, source, prompt, stop)
        reads = scorer.request.needs_error_head
        closing = closing_token(backbone, source, prompt) if reads else None
        options = stops.added_to(options, backbone, inputs)
        return cls(scorer, asked, inputs, options, stops, closing)

    @property
    def backbone(self) -> LanguageBackbone:
        return self.scorer.backbone

    def stream(self) -> TokenStream:
        """The tokens one by one."""
        return TokenStream(self.backbone, self.inputs, self.options, self.scorer.layers)

    @torch.inference_mode()
    def scored(self, generated: GeneratedTokens) -> tuple[ScoredHypothesis, Written]:
        """The record of all tokens together."""
        written = write_hypothesis(self.backbone, generated.token_ids, self.stops)
        read, ended = read_positions(self.backbone, written, self.closing)
        targets = torch.tensor(generated.token_ids, device=generated.hidden.device).long()
        signals = self.scorer.token_signals(generated.hidden, targets, texts=[read], ended=ended)
        return signals.scored(replace(self.asked, hypothesis=written.text), written.places), written


def _for_row(scorer: Scorer, row: Mapping[str, Any]) -> Scorer:
    """The scorer with the prompt of a row; itself if its prompt takes nothing from rows."""
    if not scorer.prompt.columns:
        return scorer
    checked: dict[str, PromptTemplate] = {}
    key = prompt_of_row(scorer.backbone, scorer.prompt, row, checked=checked)
    return replace(scorer, prompt=checked[key])


class StreamedSteps(Iterator[tuple[ScoredToken, ...]]):
    """A text that is generated step by step, each of which is one pass of the model.

    A step gives the tokens whose scores have become known, maybe none. Arguments are those of
    `generate_scored`.

    Attributes:
        tokens: What is generated, how far it is, and why it ended.
    """

    def __init__(
        self, scorer: Scorer, asked: Pair, options: dict[str, Any], stop: str | Iterable[str] = ()
    ) -> None:
        self._asked = asked
        task = _Task.of(scorer, asked, options, stop)
        closes = task.closing is not None
        self._scores = StreamScorer(task.scorer, closes=closes, stops=task.stops)
        self.tokens = task.stream()
        self._finished = False

    def __next__(self) -> tuple[ScoredToken, ...]:
        if (arrived := next(self.tokens, None)) is not None:
            return tuple(self._scores.push(*arrived))
        if self._finished:
            raise StopIteration
        self._finished = True
        return tuple(self._scores.finish())

    @property
    def text(self) -> str:
        """What has been written, in which tokens have their places."""
        return self._scores.writer.text

    @property
    def leading(self) -> str:
        """The white space before it that the model wrote."""
        return self._scores.writer.leading

    def scored(self) -> ScoredHypothesis:
        """The record of the tokens that were given so far."""
        return self._scores.scored(replace(self._asked, hypothesis=self.text.rstrip()))


class GeneratedSteps(Iterator[None]):
    """A text that is generated step by step and scored in the last one, as `generate_scored` does.

    Attributes:
        tokens: What is generated, how far it is, and why it ended.
        scored: The record, once it is complete.
        leading: The white space before the text that the model wrote.
    """

    def __init__(
        self, scorer: Scorer, asked: Pair, options: dict[str, Any], stop: str | Iterable[str] = ()
    ) -> None:
        self._task = _Task.of(scorer, asked, options, stop)
        self.tokens = self._task.stream()
        self._hidden: list[Tensor] = []
        self.scored: ScoredHypothesis | None = None
        self.leading = ""

    def __next__(self) -> None:
        if (arrived := next(self.tokens, None)) is not None:
            self._hidden.append(arrived[1])
            return
        if self.scored is not None:
            raise StopIteration
        generated = GeneratedTokens(self.tokens.token_ids, torch.stack(self._hidden))
        self.scored, written = self._task.scored(generated)
        self.leading = written.leading
