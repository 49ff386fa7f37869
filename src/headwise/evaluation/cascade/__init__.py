"""What a cascade is worth: who answers, how often wrongly, and at what cost."""

from headwise.evaluation.cascade.evaluation import evaluate_cascade

__all__ = ["evaluate_cascade"]
