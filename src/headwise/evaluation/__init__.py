"""Protocols that find out how good scores are; metric formulas live in `metrics`."""

from headwise.backbones.generation.sampling import sample_hypotheses
from headwise.corruption import (
    CRUDE_KINDS,
    NEGATION_DE,
    Corruption,
    ErrorFamily,
    crude_errors,
    plausible_errors,
)
from headwise.evaluation.entailment.evaluation import (
    InferenceQuestion,
    evaluate_entailment,
    judge_inferences,
)
from headwise.evaluation.entailment.judged_pairs import JudgedInference
from headwise.evaluation.quality.comparison import compare
from headwise.evaluation.quality.evaluated_rows import Source
from headwise.evaluation.quality.evaluation import evaluate
from headwise.evaluation.quality.judged_texts import JudgedText, judge
from headwise.evaluation.quality.protocol_choice import EvaluationProtocol
from headwise.evaluation.quality.question import Question
from headwise.evaluation.quality.sampling import monte_carlo_probability
from headwise.evaluation.statistics.results import Answer, Evaluation
from headwise.evaluation.statistics.setup import Resampling, SignificanceTest

# The name before: it hid the one of `typing`
Protocol = EvaluationProtocol
"""What is asked of scores; see :class:`~headwise.choices.EvaluationProtocol`."""

__all__ = [
    "CRUDE_KINDS",
    "NEGATION_DE",
    "Answer",
    "Corruption",
    "ErrorFamily",
    "Evaluation",
    "EvaluationProtocol",
    "InferenceQuestion",
    "JudgedInference",
    "JudgedText",
    "Protocol",
    "Question",
    "Resampling",
    "SignificanceTest",
    "Source",
    "compare",
    "crude_errors",
    "evaluate",
    "evaluate_entailment",
    "judge",
    "judge_inferences",
    "monte_carlo_probability",
    "plausible_errors",
    "sample_hypotheses",
]
