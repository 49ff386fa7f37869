"""Answers with several choices, whole or event by event, whatever their shape."""

import time
import uuid
from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from typing import Any

from starlette.responses import Response

from headwise.serving.errors import ApiError
from headwise.serving.generation.events import event_stream
from headwise.serving.generation.scores import Beside
from headwise.serving.generation.writing import AnswerPiece, WholeAnswer, Writing
from headwise.serving.responses import json_response
from headwise.serving.schemas.generation import GenerationRequest


def check_supported(asked: GenerationRequest) -> None:
    """Refuse fields that OpenAI's servers know and this one cannot follow (`ApiError`)."""
    if asked.refused is not None:
        name, why = asked.refused
        message = f"Unsupported parameter: '{name}' is not supported here: {why}. Leave it out."
        raise ApiError(400, message, param=name, code="unsupported_parameter")


def seed_of(asked: GenerationRequest, index: int) -> int | None:
    """The seed of one of a request's answers, which are not to be all the same."""
    return None if asked.seed is None else asked.seed + index


class AnswerShape:
    """The answer to a request for texts: a shape fills in what its choices look like.

    Args:
        asked: The request.
        model: The model's name.
        beside: What comes beside the texts.
        writings: The texts, one after the other; those of one prompt stand together.
    """

    prefix: str
    kind: str
    kind_of_event: str

    def __init__(
        self, asked: GenerationRequest, model: str, beside: Beside, writings: Sequence[Writing]
    ) -> None:
        self.asked, self.beside, self.writings = asked, beside, writings
        self._head = {
            "id": f"{self.prefix}-{uuid.uuid4().hex}",
            "object": self.kind,
            "created": int(time.time()),
            "model": model,
        }

    @abstractmethod
    def choice(self, index: int, written: WholeAnswer) -> dict[str, Any]:
        """A choice of a whole answer."""

    @abstractmethod
    def opening(self, index: int) -> dict[str, Any] | None:
        """What a choice of a stream begins with."""

    @abstractmethod
    def piece(self, index: int, piece: AnswerPiece, count: int) -> dict[str, Any]:
        """A choice with one token more, after so many characters."""

    @abstractmethod
    def ending(self, index: int, written: WholeAnswer) -> dict[str, Any]:
        """A choice at its end."""

    async def respond(self) -> Response:
        """Write all texts; as a stream, if one was asked for."""
        if self.asked.stream:
            return await event_stream(self._events())
        done = [await writing.whole() for writing in self.writings]
        choices = [self.choice(index, written) for index, written in enumerate(done)]
        return json_response({**self._head, "choices": choices, "usage": self._usage(done)})

    async def _events(self) -> AsyncIterator[dict[str, Any]]:
        options = self.asked.stream_options
        counts = options is not None and options.include_usage
        head = {**self._head, "object": self.kind_of_event} | ({"usage": None} if counts else {})
        done: list[WholeAnswer] = []
        for index, writing in enumerate(self.writings):
            count, begun = 0, False
            async for part in writing.pieces():
                if not begun and (opening := self.opening(index)) is not None:
                    yield {**head, "choices": [opening]}
                begun = True
                if isinstance(part, WholeAnswer):
                    done.append(part)
                    choice = self.ending(index, part)
                else:
                    choice = self.piece(index, part, count)
                    count += len(part.text)
                yield {**head, "choices": [choice]}
        if counts:
            yield {**head, "choices": [], "usage": self._usage(done)}

    def _usage(self, done: Sequence[WholeAnswer]) -> dict[str, int]:
        # The texts of one prompt share it
        given = sum(one.prompt_tokens for one in done[:: self.asked.n or 1])
        generated = sum(one.generated_tokens for one in done)
        return {
            "prompt_tokens": given,
            "completion_tokens": generated,
            "total_tokens": given + generated,
        }
