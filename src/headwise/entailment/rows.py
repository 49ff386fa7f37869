"""What JSON says of predictions, routes, claims and documents."""

from typing import Any

from headwise.entailment.claims.validating import Validation
from headwise.entailment.decisions import Decision
from headwise.entailment.predicting import Prediction
from headwise.entailment.ranking import Ranked
from headwise.entailment.routes.routing import Routing


def prediction_row(prediction: Prediction) -> dict[str, Any]:
    """Label, confidence, the three probabilities, and whether the model stands by them."""
    return {
        "label": prediction.label,
        "confidence": prediction.confidence,
        "probabilities": dict(prediction.probabilities),
        "abstain": prediction.abstain,
        "uncertainty": prediction.uncertainty,
    }


def routing_row(routing: Routing) -> dict[str, Any]:
    """The chosen route, ``None`` if none suits, by which way and why, all routes, best first."""
    scores = {}
    for name, found in routing.scores.items():
        said = {} if found.prediction is None else prediction_row(found.prediction)
        scores[name] = {"score": found.score, "text": found.text, **said}
    return {"route": routing.route, "by": routing.by, "why": routing.why, "scores": scores}


def validation_row(validation: Validation) -> dict[str, Any]:
    """Verdict, confidence, and the evidence: what decides, and its passages in the source."""
    return {
        "verdict": validation.verdict.value,
        "confidence": validation.confidence,
        "evidence": [
            {
                "text": one.text,
                "start": one.start,
                "end": one.end,
                "similarity": one.similarity,
                **prediction_row(one.prediction),
                "decides": one in validation.deciding,
                "passages": [{"start": part.start, "end": part.end} for part in one.passages],
            }
            for one in validation.evidence
        ],
    }


def decision_row(decision: Decision) -> dict[str, Any]:
    """Probabilities of the answers, whether the model stands by them, and what they come from."""
    return {
        "probabilities": list(decision.probabilities),
        "confidence": decision.confidence,
        "abstain": decision.abstain,
        "uncertainty": decision.uncertainty,
        "hypotheses": [prediction_row(prediction) for prediction in decision.predictions],
        "similarities": list(decision.similarities),
    }


def ranked_row(ranked: Ranked, *, rank: int, line: int) -> dict[str, Any]:
    """A document with its rank, counted from 1, and the line that it stood in."""
    return {"rank": rank, "score": ranked.score, "line": line, "text": ranked.document}
