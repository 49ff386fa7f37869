"""``POST /v1/chat/completions``: answers of the language model, in OpenAI's shape, with scores."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from headwise.serving.generation.answers import AnswerShape, check_supported, seed_of
from headwise.serving.generation.prompts import asked_in_chat
from headwise.serving.generation.scores import Beside
from headwise.serving.generation.writing import AnswerPiece, WholeAnswer, Writing
from headwise.serving.schemas.generation import ChatRequest
from headwise.serving.service import TheService

router = APIRouter(tags=["Generate"])


@router.post("/v1/chat/completions", summary="Answer a conversation, with a score of each token")
async def chat_completions(asked: ChatRequest, service: TheService) -> Response:
    """Answer a conversation with the language model.

    A choice, or an event of a stream, has ``headwise`` beside it: the scores of its tokens with
    their places in the answer, and at last those of the whole answer. The field ``headwise`` of a
    request says which (``{"signals": ["quality", "error"]}``), or that there are to be none
    (``false``). A whole answer has the scores of ``/v1/score``; a stream's error head has not seen
    the end of the text.

    Without ``temperature`` and ``top_p``, the model's own settings hold: greedy, mostly. A model
    without a chat template (the bundled one translates) reads one message of the user.
    """
    check_supported(asked)
    quality = service.require_quality(asked.model)
    beside = Beside(quality, asked)
    scorer, pair = asked_in_chat(beside.scorer, asked.messages)
    writings = [
        Writing(quality, scorer, pair, asked.options(), asked.stops, seed_of(asked, index))
        for index in range(asked.n or 1)
    ]
    return await ChatAnswer(asked, quality.name, beside, writings).respond()


class ChatAnswer(AnswerShape):
    """Choices with messages, and deltas of them."""

    prefix, kind, kind_of_event = "chatcmpl", "chat.completion", "chat.completion.chunk"

    def choice(self, index: int, written: WholeAnswer) -> dict[str, Any]:
        """A choice of a whole answer."""
        return {
            "index": index,
            "message": {"role": "assistant", "content": written.text, "refusal": None},
            "logprobs": self.beside.chat_logprobs(written.pieces()),
            "finish_reason": written.finish,
            **self.beside.of_text(written, tokens=True),
        }

    def opening(self, index: int) -> dict[str, Any] | None:
        """What a choice of a stream begins with: who speaks."""
        return _delta(index, {"role": "assistant", "content": "", "refusal": None})

    def piece(self, index: int, piece: AnswerPiece, count: int) -> dict[str, Any]:  # noqa: ARG002
        """A choice with one token more."""
        logprobs = None if piece.token.special else self.beside.chat_logprobs([piece])
        scores = self.beside.of_piece(piece)
        return _delta(index, {"content": piece.text}, logprobs=logprobs) | scores

    def ending(self, index: int, written: WholeAnswer) -> dict[str, Any]:
        """A choice at its end."""
        return _delta(index, {}, finish=written.finish) | self.beside.of_text(written, tokens=False)


def _delta(
    index: int,
    delta: dict[str, Any],
    *,
    logprobs: dict[str, Any] | None = None,
    finish: str | None = None,
) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
