"""``POST /v1/check``, ``/v1/route``: claims against a source, and where a query goes."""

from functools import partial

from fastapi import APIRouter
from starlette.responses import Response

from headwise.entailment.claims.sources import CheckOptions, ReadSource
from headwise.entailment.claims.validating import is_about_claim, validation_steps
from headwise.entailment.predicting import Prediction
from headwise.entailment.routes.choosing import choose_router, possible_ways, read_examples
from headwise.entailment.routes.routing import Routing, read_routes
from headwise.entailment.routes.routing import route as find_route
from headwise.entailment.rows import routing_row, validation_row
from headwise.errors import InputError
from headwise.serving.entailment_service import PASSAGES_A_TURN
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
    model = encoder.model
    with wishes_of_client():
        options = CheckOptions(**asked.options())
    source = ReadSource(asked.source, encoder=model.encoder, options=options, step=PASSAGES_A_TURN)

    def predict(premises: list[str], hypothesis: str) -> list[Prediction]:
        return [one.at(asked.threshold) for one in model.predict(premises, hypothesis)]

    rows = []
    for place, claim in enumerate(claims):
        steps = partial(validation_steps, source, claim, predict=predict)
        try:
            found = await encoder.in_steps(steps)
        except InputError as error:
            param = "claim" if asked.claims is None else f"claims.{place}"
            raise ApiError.of(error, param=param if is_about_claim(error) else "source") from error
        rows.append({"claim": claim, **validation_row(found)})
    return json_response({"object": "list", "model": encoder.name, "data": rows})


@router.post("/v1/route", summary="Find the route for a query")
async def route(asked: RouteRequest, service: TheService) -> Response:
    """Choose the route that a query is closest to or entails, or say that none suits (``null``).

    The answer is that of ``headwise route --json``. With ``examples``, the way that is right on
    most of them is taken, and ``why`` says on how many.
    """
    encoder = service.require_entailment(asked.model)
    model, compare = encoder.model, encoder.model.encoder.compare
    if asked.examples is not None:
        service.check_batch(len(asked.examples), param="examples")
    with wishes_of_client():
        routes = read_routes(asked.routes)
        examples = read_examples(asked.pairs, routes) if asked.pairs else []
    texts = [text for some in routes.values() for text in some]
    service.check_batch(len(texts), param="routes")
    queries = list(dict.fromkeys([asked.query, *(query for query, _ in examples)]))
    ways = possible_ways(model.encoder) if examples else ()
    predictions: dict[tuple[str, str], Prediction] = {}
    if asked.by in ("both", "entailment") or "entailment" in ways:
        pairs = [(query, text) for query in queries for text in texts]
        found = await encoder.judge(pairs, threshold=asked.threshold, param=None)
        predictions = dict(zip(pairs, found, strict=True))
    if asked.by != "entailment":
        await encoder.remember([*texts, *queries])

    def predict(premise: str, hypotheses: list[str]) -> list[Prediction]:
        return [predictions[premise, hypothesis] for hypothesis in hypotheses]

    def find() -> Routing:
        if not examples:
            return find_route(
                asked.query,
                routes,
                by=asked.by,
                min_score=asked.min_score,
                predict=predict,
                compare=compare,
            )
        router = choose_router(routes, examples, predict=predict, compare=compare, ways=ways)
        return router.route(asked.query)

    row = {"query": asked.query, **routing_row(await encoder.thread.turn(find))}
    return json_response({"object": "route", "model": encoder.name, **row})
