"""Triage of scored segments: what may go out unread, with a promise; no pages."""

from headwise.evaluation.triage.decided_document import write_decided_document
from headwise.evaluation.triage.decided_rows import read_segments, write_decisions
from headwise.evaluation.triage.decisions import Triage, triage
from headwise.evaluation.triage.promise import Action, Promise, make_promise
from headwise.evaluation.triage.savings import savings
from headwise.evaluation.triage.segments import Segments

__all__ = [
    "Action",
    "Promise",
    "Segments",
    "Triage",
    "make_promise",
    "read_segments",
    "savings",
    "triage",
    "write_decided_document",
    "write_decisions",
]
