"""``POST /v1/decisions``, ``/v1/systemone``: typed questions, answered by entailment."""

from collections.abc import Sequence
from typing import Any, assert_never

from fastapi import APIRouter
from starlette.responses import Response

from headwise.entailment import Decision
from headwise.entailment.deciding import DecisionPlan, pair_cosines
from headwise.entailment.decisions import Asked, state_text
from headwise.entailment.rows import decision_row
from headwise.serving.entailment_service import EntailmentService
from headwise.serving.errors import ApiError, wishes_of_client
from headwise.serving.responses import json_response
from headwise.serving.schemas import decisions as openai
from headwise.serving.schemas import systemone as typesafe
from headwise.serving.service import TheService

router = APIRouter(tags=["Decide"])

# Passages of the state times texts that are asked about: seconds of work, not minutes
_MOST_PAIRS = 16_384


@router.post("/v1/decisions", summary="Answer typed questions about an input (OpenAI)")
async def decisions(asked: openai.DecisionsRequest, service: TheService) -> Response:
    """Answer predicates, choices and scores, in the shape of OpenAI's Decisions API.

    Answers come by entailment, a heuristic: write predicates as statements. Choices and scores come
    by the similarity of embeddings if ``by`` says so, and then without abstention. A question on
    which the model abstains has a ``refusal`` for an answer; ``headwise`` beside it says how
    uncertain the model is, and what its probabilities would have been.
    """
    encoder = service.require_entailment(asked.model)
    questions = [question.asked(asked.by) for question in asked.questions]
    found, tokens = await _decide(
        encoder, asked.state, questions, threshold=asked.threshold, param="input"
    )
    answers = [
        {**_answer(question, decision), "headwise": decision_row(decision)}
        for question, decision in zip(asked.questions, found, strict=True)
    ]
    usage = {
        "input_tokens": tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 0,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": tokens,
    }
    return json_response({"model": encoder.name, "answers": answers, "usage": usage})


@router.post("/v1/systemone", summary="Answer typed questions about a state (System One)")
async def systemone(asked: typesafe.SystemOneRequest, service: TheService) -> Response:
    """Answer nouls, choices and scores, in the shape of TypeSafe's System One.

    As ``/v1/decisions``; a question on which the model abstains is missing from ``answers``, and
    ``headwise`` has a row for every question.
    """
    encoder = service.require_entailment(asked.model)
    questions = [question.asked(asked.by) for question in asked.questions.values()]
    state = state_text(asked.state)
    found, tokens = await _decide(
        encoder, state, questions, threshold=asked.threshold, param="state"
    )
    named = dict(zip(asked.questions, found, strict=True))
    return json_response(
        {
            "model": encoder.name,
            "answers": {
                name: _systemone_answer(asked.questions[name], decision)
                for name, decision in named.items()
                if not decision.abstain
            },
            "usage": {"input_tokens": tokens, "output_tokens": 0},
            "headwise": {name: decision_row(decision) for name, decision in named.items()},
        }
    )


async def _decide(
    encoder: EntailmentService,
    state: str,
    questions: Sequence[Asked],
    *,
    threshold: float | None,
    param: str,
) -> tuple[list[Decision], int]:
    """Decisions, and how many tokens were read."""
    model = encoder.model.encoder
    with wishes_of_client():
        plan = await encoder.in_steps(lambda: DecisionPlan.steps(state, questions, encoder=model))
    pairs, compared = plan.pairs, plan.compared
    if (count := len(pairs) + len(compared)) > _MOST_PAIRS:
        raise ApiError(
            413,
            f"The {param} has {len(plan.premises)} passages, and {count} pairs of a passage "
            f"and an answer are more than {_MOST_PAIRS}; shorten it, or ask less at a time.",
            param=param,
        )
    predictions, cosines = [], []
    texts = [*plan.premises, *(text for question in questions for text in question.hypotheses)]
    if pairs:
        predictions = await encoder.judge(pairs, threshold=threshold, param=None)
    if compared:
        await encoder.remember(texts)
        cosines = await encoder.thread.turn(lambda: pair_cosines(model, compared))
    return plan.decide(predictions, cosines), await encoder.count_tokens(texts)


def _answer(question: openai.AnyQuestion, decision: Decision) -> dict[str, Any]:
    """An answer of OpenAI's shape."""
    named = {"name": question.name}
    if decision.abstain:
        return {"type": "refusal", **named}
    shares = decision.probabilities
    match question:
        case openai.PredicateQuestion():
            return {"type": "predicate", **named, "probability": decision.expected}
        case openai.ChoiceQuestion():
            values = [option.value for option in question.choices]
            return {
                "type": "choice",
                **named,
                "choice": values[decision.best],
                "probabilities": [
                    {"value": value, "probability": share}
                    for value, share in zip(values, shares, strict=True)
                ],
                "confidence": decision.confidence,
            }
        case openai.ScoreQuestion():
            return {
                "type": "score",
                **named,
                "score": decision.expected,
                "probabilities": [
                    {"value": place, "label": level.label, "probability": share}
                    for place, (level, share) in enumerate(
                        zip(question.levels, shares, strict=True)
                    )
                ],
                "confidence": decision.confidence,
            }
        case unknown:
            assert_never(unknown)


def _systemone_answer(
    question: typesafe.AnySystemOneQuestion, decision: Decision
) -> dict[str, Any]:
    """An answer of System One's shape."""
    shares = decision.probabilities
    match question:
        case typesafe.NoulQuestion():
            return {"type": "noul", "noul": decision.expected}
        case typesafe.LabelQuestion():
            labels = list(question.criteria)
            return {
                "type": "choice",
                "choice": labels[decision.best],
                "probabilities": dict(zip(labels, shares, strict=True)),
                "confidence": decision.confidence,
            }
        case typesafe.LevelQuestion():
            return {
                "type": "score",
                "score": decision.expected,
                "legend": {str(i): level for i, level in enumerate(question.criteria)},
                "probabilities": {str(i): share for i, share in enumerate(shares)},
                "confidence": decision.confidence,
            }
        case unknown:
            assert_never(unknown)
