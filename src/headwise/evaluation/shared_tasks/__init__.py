"""Scored segments in the forms that shared tasks ask for; no formulas of metrics."""

from headwise.evaluation.shared_tasks.severities import Severities, gold_spans, learn_severities
from headwise.evaluation.shared_tasks.submissions import SharedTask, write_submission

__all__ = ["Severities", "SharedTask", "gold_spans", "learn_severities", "write_submission"]
