"""``POST /tokenize`` and ``/detokenize``: texts as tokens and back, in vLLM's shape."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from headwise.serving.errors import ApiError
from headwise.serving.generation.prompts import asked_in_chat
from headwise.serving.quality_service import QualityService
from headwise.serving.responses import json_response
from headwise.serving.schemas.tokens import DetokenizeRequest, TokenizeRequest
from headwise.serving.service import Service, TheService

router = APIRouter(tags=["Models"])


@router.post("/tokenize", summary="A text or conversation as tokens")
async def tokenize(asked: TokenizeRequest, service: TheService) -> Response:
    """The tokens of a text on its own, or of what a conversation becomes before it is answered."""
    model, backbone = _named(service, asked.model)

    def tokens() -> list[int]:
        if asked.messages is None:
            text = asked.prompt or ""
            found: list[int] = backbone.tokenizer(
                text, add_special_tokens=asked.add_special_tokens, verbose=False
            )["input_ids"]
            return found
        if not isinstance(model, QualityService):
            raise ApiError(400, f"{model.name} reads no conversations; give `prompt`.")
        scorer, pair = asked_in_chat(model.scorers.of(), asked.messages)
        inputs = scorer.backbone.encode_prompt(pair.given, scorer.prompt)
        return [*map(int, inputs["input_ids"][0])]

    ids = await model.thread.turn(tokens)
    answer = {"count": len(ids), "max_model_len": backbone.max_length, "tokens": ids}
    names = backbone.tokenizer.convert_ids_to_tokens(ids) if asked.return_token_strs else None
    return json_response({**answer, "token_strs": names})


@router.post("/detokenize", summary="Tokens as a text")
async def detokenize(asked: DetokenizeRequest, service: TheService) -> Response:
    """The text of tokens, special ones included."""
    model, backbone = _named(service, asked.model)
    size = len(backbone.tokenizer)
    for place, token in enumerate(asked.tokens):
        if not 0 <= token < size:
            raise ApiError(
                400,
                f"Token ids of {model.name} lie in [0, {size - 1}], got {token}.",
                param=f"tokens.{place}",
            )
    text = await model.thread.turn(lambda: backbone.tokenizer.decode(asked.tokens))
    return json_response({"prompt": text})


def _named(service: Service, name: str | None) -> tuple[Any, Any]:
    """A model and what has its tokeniser."""
    entailment = service.entailment
    if entailment is not None and (name == entailment.name or service.quality_name is None):
        found = service.require_entailment(name)
        return found, found.model.backbone
    quality = service.require_quality(name)
    return quality, quality.estimator.backbone
