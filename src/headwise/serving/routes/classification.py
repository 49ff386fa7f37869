"""``POST /v1/classify``, ``/predict``: what hypotheses are to premises, with abstention."""

import asyncio
import math
import time
import uuid

from fastapi import APIRouter
from starlette.responses import Response

from headwise.entailment.inputs import broadcast_pairs
from headwise.entailment.rows import prediction_row
from headwise.serving.responses import json_response
from headwise.serving.schemas.classification import ClassifyRequest, PredictRequest
from headwise.serving.service import TheService

router = APIRouter(tags=["Entail"])


@router.post("/v1/classify", summary="Classify pairs by entailment (vLLM)")
async def classify(asked: ClassifyRequest, service: TheService) -> Response:
    """Say what hypotheses are to premises, in the shape of vLLM's classification.

    ``probs`` are of entailment, neutral and contradiction, in this order. ``headwise`` holds the
    row of ``headwise nli`` beside them, with ``abstain`` and ``uncertainty``.
    """
    encoder = service.require_entailment(asked.model)
    pairs, field = asked.input, "input"
    if pairs is None:
        pairs, field = broadcast_pairs(asked.text_1, asked.text_2)[0], "text_1"
    service.check_batch(len(pairs), param=field)
    found, tokens = await asyncio.gather(
        encoder.judge(pairs, threshold=asked.threshold, param=field),
        encoder.count_tokens(text for pair in pairs for text in pair),
    )
    data = [
        {
            "index": index,
            "label": one.label,
            "probs": list(one.probabilities.values()),
            "num_classes": len(one.probabilities),
            "headwise": prediction_row(one),
        }
        for index, one in enumerate(found)
    ]
    return json_response(
        {
            "id": f"classify-{uuid.uuid4().hex}",
            "object": "list",
            "created": int(time.time()),
            "model": encoder.name,
            "data": data,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens, "completion_tokens": 0},
        }
    )


@router.post("/predict", summary="Classify pairs (text-embeddings-inference)")
async def predict(asked: PredictRequest, service: TheService) -> Response:
    """Say what hypotheses are to premises, in the shape of text-embeddings-inference.

    A list of labels and scores for a pair, the highest first; a list of such lists for a batch.
    ``abstain`` and ``uncertainty`` are about the pair, and stand beside each of its labels.
    """
    encoder = service.require_entailment()
    pairs = asked.pairs
    service.check_batch(len(pairs), param="inputs")
    rows = []
    for one in await encoder.judge(pairs, threshold=asked.threshold, param="inputs"):
        beside = {"abstain": one.abstain, "uncertainty": one.uncertainty}
        ranked = sorted(one.probabilities.items(), key=lambda item: -item[1])
        rows.append(
            [
                {"score": _log(score) if asked.raw_scores else score, "label": label, **beside}
                for label, score in ranked
            ]
        )
    return json_response(rows[0] if asked.is_single else rows)


def _log(probability: float) -> float:
    return math.log(probability) if probability else -math.inf
