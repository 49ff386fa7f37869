"""Entailment, abstention, routing, claims, search and reranking with one encoder; no training."""

from headwise.entailment.index import DocumentIndex
from headwise.entailment.model import EntailmentModel
from headwise.entailment.predicting import Prediction
from headwise.entailment.ranking import Ranked
from headwise.entailment.routing import RouteScore, Routing
from headwise.entailment.validating import Evidence, Validation, Verdict

__all__ = [
    "DocumentIndex",
    "EntailmentModel",
    "Evidence",
    "Prediction",
    "Ranked",
    "RouteScore",
    "Routing",
    "Validation",
    "Verdict",
]
