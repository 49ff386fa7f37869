"""Entailment, abstention, routing, claims, decisions, search with one encoder; no training."""

from headwise.entailment.claims.validating import Evidence, Validation, Verdict
from headwise.entailment.deciding import decide
from headwise.entailment.decisions import Decision, OneOf, YesNo
from headwise.entailment.index import DocumentIndex
from headwise.entailment.model import EntailmentModel
from headwise.entailment.passages import Passage
from headwise.entailment.predicting import Prediction
from headwise.entailment.ranking import Ranked
from headwise.entailment.routes.choosing import Router, TriedWay
from headwise.entailment.routes.routing import RouteScore, Routing
from headwise.entailment.tables import EmbedTables, PredictTables

__all__ = [
    "Decision",
    "DocumentIndex",
    "EmbedTables",
    "EntailmentModel",
    "Evidence",
    "OneOf",
    "Passage",
    "PredictTables",
    "Prediction",
    "Ranked",
    "RouteScore",
    "Router",
    "Routing",
    "TriedWay",
    "Validation",
    "Verdict",
    "YesNo",
    "decide",
]
