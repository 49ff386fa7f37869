"""``POST /v1/embeddings``: texts in, vectors out, in OpenAI's shape."""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from headwise.serving.errors import ApiError, all_answered
from headwise.serving.responses import json_response
from headwise.serving.schemas.embeddings import EmbeddingsRequest
from headwise.serving.service import TheService

if TYPE_CHECKING:
    from torch import Tensor

    from headwise.serving.entailment_service import Embedded

router = APIRouter(tags=["Embed"])


@router.post("/v1/embeddings", summary="Embed texts")
async def embeddings(asked: EmbeddingsRequest, service: TheService) -> Response:
    """Embed one text or several, in the shape of OpenAI's embeddings.

    Lists of token ids are refused, since nothing says that they are this encoder's. LangChain's
    ``OpenAIEmbeddings`` sends texts if it is given ``check_embedding_ctx_length=False``.
    """
    encoder = service.require_entailment(asked.model)
    texts = asked.texts
    if texts is None:
        raise ApiError(
            400,
            "`input` holds token ids, and they are of a tokeniser that is not this encoder's; send "
            "texts (LangChain's OpenAIEmbeddings: check_embedding_ctx_length=False).",
            param="input",
        )
    if not texts:
        raise ApiError(400, "`input` is empty; send a text or more.", param="input")
    service.check_batch(len(texts), param="input")
    size = encoder.embedding_size
    if asked.dimensions not in (None, size):
        raise ApiError(
            400,
            f"Embeddings of {encoder.name} have {size} dimensions and are not made to be cut, got "
            f"`dimensions` {asked.dimensions}; leave it out.",
            param="dimensions",
        )
    found = all_answered(await encoder.embed(texts), param="input")
    # Many numbers take long to write
    return await run_in_threadpool(
        _response, found, encoder.name, as_base64=asked.encoding_format == "base64"
    )


def _response(found: "Sequence[Embedded]", model: str, *, as_base64: bool) -> Response:
    tokens = sum(one.tokens for one in found)
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _packed(one.vector) if as_base64 else one.vector.tolist(),
        }
        for index, one in enumerate(found)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return json_response({"object": "list", "data": data, "model": model, "usage": usage})


def _packed(vector: "Tensor") -> str:
    return base64.b64encode(vector.numpy().astype("<f4").tobytes()).decode("ascii")
