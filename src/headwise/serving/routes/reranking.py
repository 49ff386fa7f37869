"""``POST /v1/rerank``, ``/rerank``, ``/v2/rerank``: documents, or hypotheses of a source."""

import uuid
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from headwise.data.records.pairs import Pair
from headwise.quality.ranking import best_first, worth
from headwise.serving.errors import ApiError, all_answered
from headwise.serving.responses import json_response
from headwise.serving.schemas.reranking import (
    AnyRerankRequest,
    CohereRerankRequest,
    RerankRequest,
)
from headwise.serving.score_rows import score_row
from headwise.serving.service import Service, TheService

router = APIRouter(tags=["Rank"])


@dataclass(frozen=True, slots=True)
class Ranking:
    """What was ranked: the model's name, places and scores, best first, and what it took.

    ``query_tokens`` is 0 where hypotheses were ranked by quality.
    """

    model: str
    results: list[dict[str, Any]]
    tokens: int
    query_tokens: int = 0


@router.post("/v1/rerank", summary="Rank documents, or hypotheses by quality (Jina)")
async def rerank(asked: RerankRequest, service: TheService) -> Response:
    """Rank documents for a query by late interaction, in Jina's shape.

    ``relevance_score`` is the sum, over the query's tokens, of their best cosine with a token of
    the document: at most as large as the query has tokens, and to be compared between documents of
    one query. With ``model`` naming the language model, hypotheses of a source are ranked by
    ``quality`` as its calibration says (``ranking_score``), or by the mean of another main signal
    (see ``signals``), which is the score, turned so that more is better; ``headwise`` holds the row
    of ``/v1/score`` beside it.
    """
    return _jina_response(asked, await _rank(asked, service))


@router.post("/rerank", summary="Rank documents (Jina, or text-embeddings-inference)")
async def any_rerank(asked: AnyRerankRequest, service: TheService) -> Response:
    """The same; with ``texts`` for ``documents``, in the shape of text-embeddings-inference.

    Its ``score`` is the mean of the best cosines of the query's tokens, in [-1, 1]; with
    ``raw_scores`` it is their sum, as in the other shapes.
    """
    ranking = await _rank(asked, service)
    if asked.plain_texts is None:
        return _jina_response(asked, ranking)
    scale = 1 if asked.raw_scores or not ranking.query_tokens else 1 / ranking.query_tokens
    return json_response(
        [
            {
                "index": one["index"],
                **({"text": asked.plain_texts[one["index"]]} if asked.return_text else {}),
                "score": one["relevance_score"] * scale,
            }
            for one in ranking.results
        ]
    )


@router.post("/v2/rerank", summary="Rank documents, or hypotheses by quality (Cohere)")
async def cohere_rerank(asked: CohereRerankRequest, service: TheService) -> Response:
    """The same in the shape of Cohere's API v2, whose servers refuse unknown fields with 422.

    The scores are those of ``/v1/rerank`` and are not in [0, 1].
    """
    for name in asked.model_extra or {}:
        message = f"unknown field: parameter '{name}' is not a valid field"
        raise ApiError(422, message, param=name)
    ranking = await _rank(asked, service)
    return json_response(
        {
            "id": str(uuid.uuid4()),
            "results": _results(asked, ranking),
            "meta": {
                "api_version": {"version": "2"},
                "billed_units": {"search_units": 1},
                "tokens": {"input_tokens": ranking.tokens, "output_tokens": 0},
            },
        }
    )


def _jina_response(asked: RerankRequest, ranking: Ranking) -> Response:
    return json_response(
        {
            "id": f"rerank-{uuid.uuid4().hex}",
            "object": "list",
            "model": ranking.model,
            "results": _results(asked, ranking),
            "usage": {"prompt_tokens": ranking.tokens, "total_tokens": ranking.tokens},
        }
    )


def _results(asked: RerankRequest, ranking: Ranking) -> list[dict[str, Any]]:
    if not asked.return_documents:
        return ranking.results
    return [{**one, "document": asked.document(one["index"])} for one in ranking.results]


async def _rank(asked: RerankRequest, service: Service) -> Ranking:
    service.check_batch(len(asked.texts), param="documents")
    if asked.model is not None and asked.model == service.quality_name:
        return await _by_quality(asked, service)
    encoder = service.require_entailment(asked.model)
    scores, query_tokens, tokens = await encoder.late_interaction(asked.query, asked.texts)
    order = sorted(range(len(scores)), key=lambda index: -scores[index])[: asked.top_n]
    results = [{"index": index, "relevance_score": scores[index]} for index in order]
    return Ranking(encoder.name, results, tokens, query_tokens)


async def _by_quality(asked: RerankRequest, service: Service) -> Ranking:
    quality = service.require_quality(asked.model)
    pairs = [Pair(asked.query, text) for text in asked.texts]
    scorer = quality.scorers.of(asked.signals, ranks=True)
    found = await quality.made_of_scores(pairs, scorer)
    scored = all_answered(found, param="documents")
    places = {id(one): place for place, one in enumerate(scored)}
    results = [
        {
            "index": places[id(one)],
            "relevance_score": worth(one),
            "headwise": score_row(one, "word"),
        }
        for one in best_first(scored)[: asked.top_n]
    ]
    return Ranking(quality.name, results, sum(len(one.tokens) for one in scored))
