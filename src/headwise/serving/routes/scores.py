"""``POST /v1/score``: pairs or texts in, the records of ``headwise score`` out."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import Response, StreamingResponse

from headwise.data.records.pairs import Pair
from headwise.data.records.scored import Level, ScoredHypothesis
from headwise.data.writers import json_line
from headwise.errors import InputError
from headwise.serving.errors import ApiError
from headwise.serving.requests import json_body, read_json
from headwise.serving.responses import NDJSON
from headwise.serving.schemas.scores import ScoreOptions, ScoreRequest, pair_or_error
from headwise.serving.score_rows import score_row
from headwise.serving.service import Service, TheService

router = APIRouter(tags=["Score"])

# Lines of NDJSON that are put in line together, and how many such groups at a time
_LINES, _GROUPS = 128, 2
_LINE_OF_PAIR = {"source": "Two dogs play.", "hypothesis": "Zwei Hunde spielen.", "id": 7}


@router.post(
    "/v1/score",
    summary="Score pairs, per token, word and sentence",
    openapi_extra=json_body(
        ScoreRequest,
        **{NDJSON.replace("/", "_"): {"schema": {"type": "string"}, "example": _LINE_OF_PAIR}},
    ),
)
async def score(request: Request, service: TheService) -> Response:
    """Score hypotheses.

    A JSON object holds one pair, ``pairs`` or ``texts``; the answer's ``data`` has a row each, as
    ``headwise score`` writes it. NDJSON (``Content-Type: application/x-ndjson``) holds a pair a
    line, with options in the query (``?signals=quality,error&level=token&variable=NAME=VALUE``);
    the answer is streamed, a line each, in order, and a line that cannot be scored says why.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == NDJSON:
        return await _score_lines(request, service)
    asked = await read_json(request, ScoreRequest)
    quality = service.require_quality(asked.model)
    items = asked.items()
    if len(items) > (most := service.settings.max_client_batch_size):
        raise ApiError(
            413,
            f"A request may hold {most} texts, got {len(items)}; send several, or NDJSON "
            f"(Content-Type: {NDJSON}), which has no such limit.",
            param=asked.place,
        )
    pairs = []
    for place, item in enumerate(items):
        pair = pair_or_error(item)
        if isinstance(pair, InputError):
            raise ApiError.of(pair, param=_param(asked, place))
        pairs.append(pair)
    scorer = quality.scorers.of(**asked.wishes(), alone=asked.texts is not None)
    lines = await quality.made_of_scores(pairs, scorer, partial(_score_line, level=asked.level))
    for place, line in enumerate(lines):
        if isinstance(line, InputError):
            raise ApiError.of(line, param=_param(asked, place))
    head = json_line({"object": "list", "model": quality.name, "data": []})
    body = head.replace(b"[]}\n", b"[" + b", ".join(line.rstrip() for line in lines) + b"]}\n")
    return Response(body, media_type="application/json")


def _param(asked: ScoreRequest, place: int) -> str | None:
    return f"{asked.place}.{place}" if asked.place else None


def _score_line(scored: ScoredHypothesis, level: Level) -> bytes:
    return json_line(score_row(scored, level))


async def _score_lines(request: Request, service: Service) -> Response:
    options = _options(request)
    quality = service.require_quality(options.model)
    scorer = quality.scorers.of(**options.wishes())
    score = partial(
        quality.made_of_scores, scorer=scorer, then=partial(_score_line, level=options.level)
    )
    lines = (await request.body()).split(b"\n")
    return StreamingResponse(_scored_lines(lines, score), media_type=NDJSON)


def _options(request: Request) -> ScoreOptions:
    """Options from the query of a request."""
    query = request.query_params
    given: dict[str, Any] = {name: query[name] for name in query if name != "variable"}
    if "signals" in given:
        given["signals"] = given["signals"].split(",")
    if variables := query.getlist("variable"):
        pairs = [one.partition("=") for one in variables]
        given["variables"] = {name: value for name, _, value in pairs}
    try:
        return ScoreOptions.model_validate(given)
    except ValidationError as error:
        found: list[Any] = [
            {**one, "loc": ("query", *one["loc"])} for one in error.errors(include_url=False)
        ]
        raise RequestValidationError(found) from error


async def _scored_lines(
    lines: Sequence[bytes], score: Callable[[list[Pair]], Awaitable[list[Any]]]
) -> AsyncIterator[bytes]:
    groups: list[asyncio.Task[bytes]] = []
    try:
        for group in _groups(lines):
            groups.append(asyncio.create_task(_score_group(group, score)))
            if len(groups) == _GROUPS:
                yield await groups.pop(0)
        while groups:
            yield await groups.pop(0)
    finally:
        for task in groups:
            task.cancel()


def _groups(lines: Sequence[bytes]) -> Iterator[list[tuple[int, bytes]]]:
    group: list[tuple[int, bytes]] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            group.append((number, line))
        if len(group) == _LINES:
            yield group
            group = []
    if group:
        yield group


async def _score_group(
    lines: Sequence[tuple[int, bytes]], score: Callable[[list[Pair]], Awaitable[list[Any]]]
) -> bytes:
    read = [_read_line(line) for _, line in lines]
    good = [pair for pair in read if isinstance(pair, Pair)]
    results = iter(await score(good))
    written = []
    for (number, _), pair in zip(lines, read, strict=True):
        result = next(results) if isinstance(pair, Pair) else pair
        if isinstance(result, InputError):
            written.append(json_line({"line": number, **ApiError.of(result).body()}))
        else:
            written.append(result)
    return b"".join(written)


def _read_line(line: bytes) -> Pair | InputError:
    try:
        value = json.loads(line)
    except ValueError as error:  # bad UTF-8 is one, too
        return InputError(f"This line is not JSON: {error}.")
    if isinstance(value, list):
        value = tuple(value)
    if not isinstance(value, dict | tuple):
        return InputError("A line must be an object or a list of source and hypothesis.")
    return pair_or_error(value)
