"""``POST /v1/check``, ``/v1/route``: claims against a source, and where a query goes."""

from fastapi import APIRouter
from starlette.responses import Response

from headwise.entailment.predicting import Prediction
from headwise.entailment.routing import read_routes, route_by_entailment
from headwise.entailment.rows import routing_row, validation_row
from headwise.entailment.validating import Validation, validation_steps
from headwise.errors import InputError
from headwise.serving.entailment_service import PASSAGES_A_TURN, EntailmentService
from headwise.serving.errors import ApiError, wishes_of_client
from headwise.serving.responses import json_response
from headwise.serving.schemas.facts import CheckRequest, RouteRequest
from headwise.serving.service import TheService

router = APIRouter(tags=["Check and route"])


@router.post("/v1/check", summary="Check claims against a source")
async def check(asked: CheckRequest, service: TheService) -> Response:
    """Say what a source says of each claim, with the passages that decide, best first.

    Rows are those of ``headwise check --json``. A long source is read a part at a time, so that
    other requests get their turns at the model.
    """
    encoder = service.require_entailment(asked.model)
    encoder.require_heads("validate")
    claims = asked.all_claims
    service.check_batch(len(claims), param="claims")
    rows = []
    for place, claim in enumerate(claims):
        try:
            found = await _validate(asked, claim, encoder)
        except InputError as error:
            param = "claim" if asked.claims is None else f"claims.{place}"
            is_claim = str(error).startswith("The claim")
            raise ApiError.of(error, param=param if is_claim else "source") from error
        rows.append({"claim": claim, **validation_row(found)})
    return json_response({"object": "list", "model": encoder.name, "data": rows})


async def _validate(asked: CheckRequest, claim: str, encoder: EntailmentService) -> Validation:
    model = encoder.model

    def predict(premises: list[str], hypothesis: str) -> list[Prediction]:
        return [one.at(asked.threshold) for one in model.predict(premises, hypothesis)]

    return await encoder.in_steps(
        lambda: validation_steps(
            asked.source,
            claim,
            encoder=model.encoder,
            predict=predict,
            step=PASSAGES_A_TURN,
            **asked.options(),
        )
    )


@router.post("/v1/route", summary="Find the route for a query")
async def route(asked: RouteRequest, service: TheService) -> Response:
    """Choose the route that a query entails or is closest to, or say that none suits (``null``).

    The answer is that of ``headwise route --json``.
    """
    encoder = service.require_entailment(asked.model)
    model = encoder.model
    with wishes_of_client():
        routes = read_routes(asked.routes)
    texts = [text for examples in routes.values() for text in examples]
    service.check_batch(len(texts), param="routes")
    if asked.by == "entailment":
        pairs = [(asked.query, text) for text in texts]
        found = await encoder.judge(pairs, threshold=asked.threshold, param=None)
        predictions = dict(zip(texts, found, strict=True))
        routing = route_by_entailment(
            routes, lambda some: [predictions[text] for text in some], min_score=asked.min_score
        )
    else:
        await encoder.remember(texts)
        routing = await encoder.thread.turn(
            lambda: model.route(asked.query, routes, by="similarity", min_score=asked.min_score)
        )
    row = {"query": asked.query, **routing_row(routing)}
    return json_response({"object": "route", "model": encoder.name, **row})
