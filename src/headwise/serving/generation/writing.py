"""One text that is written for a request, in the model's thread, a pass of the model a turn."""

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import torch

from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.errors import ContextLengthError
from headwise.quality.generation.scored import GeneratedSteps, StreamedSteps
from headwise.quality.scorer import Scorer
from headwise.serving.errors import ApiError
from headwise.serving.quality_service import QualityService


@dataclass(frozen=True, slots=True)
class AnswerPiece:
    """A token, and the text that it adds, the space before a word included.

    Attributes:
        text: What it adds.
        token: The token with its scores, whose place is counted without ``shift`` characters.
        shift: How many characters of the answer stand before the text of the tokens.
    """

    text: str
    token: ScoredToken
    shift: int


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """A text that is complete.

    Attributes:
        scored: Its record.
        leading: What the answer has before the text of the record.
        finish: ``stop`` or ``length``.
        prompt_tokens: How many tokens the model was given.
        generated_tokens: How many it wrote.
    """

    scored: ScoredHypothesis
    leading: str
    finish: str
    prompt_tokens: int
    generated_tokens: int

    @property
    def text(self) -> str:
        """The answer."""
        return self.leading + self.scored.hypothesis

    def pieces(self) -> Iterator[AnswerPiece]:
        """The answer token by token."""
        cutter = _Cutter()
        for token in self.scored.tokens:
            yield cutter.piece(self.scored.hypothesis, token, self.leading)


class _Cutter:
    """Shares out a text among its tokens, in order: each has what the ones before it left over."""

    def __init__(self) -> None:
        self._sent = 0
        self._begun = False

    def piece(self, text: str, token: ScoredToken, leading: str) -> AnswerPiece:
        # All parts of a character have its place, and the last one has its text
        end = max(self._sent, token.end if token.text and not token.special else 0)
        own = text[self._sent : end]
        if own and not self._begun:
            own, self._begun = leading + own, True
        self._sent = end
        return AnswerPiece(own, token, len(leading))


@dataclass(frozen=True, slots=True)
class Writing:
    """A text to be written.

    Attributes:
        quality: The model.
        scorer: What scores the text.
        asked: What it answers to.
        options: Of the generation.
        stop: Texts that end it.
        seed: Of the drawing, if it is to be repeatable.
        continues: Whether the answer goes on with the text that is asked, white space included.
    """

    quality: QualityService
    scorer: Scorer
    asked: Pair
    options: dict[str, Any] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    seed: int | None = None
    continues: bool = False

    async def whole(self) -> WholeAnswer:
        """Write the text, and score it as a whole."""
        async with aclosing(self.quality.thread.steps(self._whole)) as steps:
            *_, written = [step async for step in steps]
        assert written is not None
        return written

    async def pieces(self) -> AsyncIterator[AnswerPiece | WholeAnswer]:
        """The tokens as they come, and at last the record of all of them."""
        async with aclosing(self.quality.thread.steps(self._pieces)) as steps:
            async for step in steps:
                for piece in step:
                    yield piece

    def _whole(self) -> Iterator[WholeAnswer | None]:
        steps: GeneratedSteps = self._begun(GeneratedSteps)
        for _ in steps:
            yield None
        assert steps.scored is not None
        yield self._written(steps, steps.scored)

    def _pieces(self) -> Iterator[tuple[AnswerPiece | WholeAnswer, ...]]:
        steps: StreamedSteps = self._begun(StreamedSteps)
        cutter = _Cutter()
        for tokens in steps:
            leading = self._leading(steps.leading)
            yield tuple(cutter.piece(steps.text, token, leading) for token in tokens)
        yield (self._written(steps, steps.scored()),)

    def _written(
        self, steps: GeneratedSteps | StreamedSteps, scored: ScoredHypothesis
    ) -> WholeAnswer:
        return WholeAnswer(
            scored,
            self._leading(steps.leading),
            steps.tokens.finish or "length",
            steps.tokens.prompt_tokens,
            len(steps.tokens.token_ids),
        )

    def _leading(self, leading: str) -> str:
        """White space that the model wrote first, without the spaces that were asked already."""
        if not self.continues:
            return ""
        asked = self.asked.source or ""
        spaces = len(asked) - len(asked.rstrip(" "))
        return leading[min(spaces, len(leading) - len(leading.lstrip(" "))) :]

    def _begun(self, kind: Any) -> Any:
        """The steps, once it is known that the text has room."""
        generator = torch.Generator(self.scorer.backbone.device)
        if self.seed is None:
            generator.seed()
        else:
            generator.manual_seed(self.seed)
        try:
            steps = kind(
                self.scorer, self.asked, {**self.options, "generator": generator}, self.stop
            )
        except ValueError as error:
            raise ApiError.of(error) from error
        self._check_room(steps.tokens.prompt_tokens)
        return steps

    def _check_room(self, given: int) -> None:
        backbone, most = self.scorer.backbone, self.options.get("max_new_tokens")
        limit = backbone.max_length
        if limit is None or most is None or backbone.model.config.is_encoder_decoder:
            return
        if given + most > limit:
            raise ContextLengthError(
                f"The prompt takes {given} tokens and {most} more are asked for, but the model "
                f"reads {limit} at most; ask for {max(0, limit - given)}, or shorten the prompt."
            )
