"""``POST /v1/cascade``: the first answer that is good enough, or none."""

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from headwise.data.records.pairs import Pair
from headwise.errors import InputError, StageError
from headwise.serving.errors import SERVER_ERROR, ApiError
from headwise.serving.responses import json_response
from headwise.serving.schemas.cascade import CascadeRequest
from headwise.serving.service import TheService

router = APIRouter(tags=["Generate"])


@router.post("/v1/cascade", summary="Answer by the small model, else by the next, else abstain")
async def cascade(asked: CascadeRequest, service: TheService) -> Response:
    """Ask the model, and where its answer is not good enough those that ``--then`` names, in turn.

    Rows are those of ``headwise cascade --json``: ``answer`` is ``null`` where no answer is good
    enough (``abstained``), ``stage`` is who gave it, ``attempts`` what each model answered, and
    ``cost`` what that cost: prices, or else seconds.
    """
    served = service.require_cascade()
    service.check_batch(len(asked.texts), param="sources")
    texts = [Pair(text, "", extra=asked.columns) for text in asked.texts]
    found = await asyncio.gather(
        *(served.answer(text, ask_all=asked.ask_all) for text in texts), return_exceptions=True
    )
    rows = []
    for place, answer in enumerate(found):
        param = "source" if asked.sources is None else f"sources.{place}"
        if isinstance(answer, InputError):
            raise ApiError.of(answer, param=param) from answer
        if isinstance(answer, StageError):
            raise ApiError(502, str(answer), kind=SERVER_ERROR, code="stage_failed") from answer
        if isinstance(answer, BaseException):
            raise answer
        rows.append(answer.as_dict())
    return json_response({"object": "list", "stages": list(served.cascade.names), "data": rows})
