"""``POST /v1/completions``: texts that the language model goes on with, in OpenAI's shape."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from headwise.serving.errors import ApiError
from headwise.serving.generation.answers import AnswerShape, check_supported, seed_of
from headwise.serving.generation.prompts import asked_to_continue
from headwise.serving.generation.scores import Beside
from headwise.serving.generation.writing import AnswerPiece, WholeAnswer, Writing
from headwise.serving.schemas.generation import CompletionRequest
from headwise.serving.service import TheService

router = APIRouter(tags=["Generate"])


@router.post("/v1/completions", summary="Continue texts, with a score of each token")
async def completions(asked: CompletionRequest, service: TheService) -> Response:
    """Continue a text, or several, as they are: without the model's own prompt.

    Scores come as with ``/v1/chat/completions``. Places are counted in the choice's ``text``, which
    begins with the space that the model wrote.
    """
    check_supported(asked)
    quality = service.require_quality(asked.model)
    if (prompts := asked.prompts) is None:
        raise ApiError(
            400, "`prompt` holds token ids; send texts, which are tokenised here.", param="prompt"
        )
    service.check_batch(len(prompts) * (asked.n or 1), param="prompt")
    beside = Beside(quality, asked)
    writings = []
    for prompt in prompts:
        scorer, pair = asked_to_continue(beside.scorer, prompt)
        writings += [
            Writing(
                *(quality, scorer, pair, asked.options(), asked.stops, seed_of(asked, index)),
                continues=True,
            )
            for index in range(asked.n or 1)
        ]
    return await CompletionAnswer(asked, quality.name, beside, writings).respond()


class CompletionAnswer(AnswerShape):
    """Choices with texts, whole or piece by piece."""

    prefix, kind, kind_of_event = "cmpl", "text_completion", "text_completion"

    def choice(self, index: int, written: WholeAnswer) -> dict[str, Any]:
        """A choice of a whole answer."""
        logprobs = self.beside.completion_logprobs(written.pieces(), self._start(index))
        scores = self.beside.of_text(written, tokens=True)
        return _choice(index, written.text, logprobs=logprobs, finish=written.finish) | scores

    def opening(self, index: int) -> dict[str, Any] | None:  # noqa: ARG002
        """Nothing."""
        return None

    def piece(self, index: int, piece: AnswerPiece, count: int) -> dict[str, Any]:
        """A choice with one token more."""
        start = self._start(index) + count
        special = piece.token.special
        logprobs = None if special else self.beside.completion_logprobs([piece], start)
        scores = self.beside.of_piece(piece)
        return _choice(index, piece.text, logprobs=logprobs) | scores

    def ending(self, index: int, written: WholeAnswer) -> dict[str, Any]:
        """A choice at its end."""
        return _choice(index, "", finish=written.finish) | self.beside.of_text(
            written, tokens=False
        )

    def _start(self, index: int) -> int:
        """Where the text begins, counted from the beginning of its prompt."""
        return len(self.writings[index].asked.source or "")


def _choice(
    index: int,
    text: str,
    *,
    logprobs: dict[str, Any] | None = None,
    finish: str | None = None,
) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish}
