"""Entailment, abstention, routing, claims, decisions, search with one encoder; no training."""

from headwise.entailment.deciding import decide
from headwise.entailment.decisions import Decision, OneOf, YesNo
from headwise.entailment.index import DocumentIndex
from headwise.entailment.model import EntailmentModel
from headwise.entailment.predicting import Prediction
from headwise.entailment.ranking import Ranked
from headwise.entailment.routing import RouteScore, Routing
from headwise.entailment.validating import Evidence, Validation, Verdict

__all__ = [
    "Decision",
    "DocumentIndex",
    "EntailmentModel",
    "Evidence",
    "OneOf",
    "Prediction",
    "Ranked",
    "RouteScore",
    "Routing",
    "Validation",
    "Verdict",
    "YesNo",
    "decide",
]
