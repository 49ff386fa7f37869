"""Protocols that find out how good scores are, and reports; metric formulas live in `metrics`."""

from headwise.evaluation.asking import Protocol
from headwise.evaluation.comparing import compare
from headwise.evaluation.entailment import (
    InferenceQuestion,
    evaluate_entailment,
    judge_inferences,
)
from headwise.evaluation.evaluating import Answer, Question, evaluate
from headwise.evaluation.gathering import Source
from headwise.evaluation.judged_inference import JudgedInference
from headwise.evaluation.judged_text import JudgedText
from headwise.evaluation.judging import judge
from headwise.evaluation.report import write_report
from headwise.evaluation.resampling import Resampling, SignificanceTest
from headwise.evaluation.results import Evaluation
from headwise.evaluation.sampling import monte_carlo_probability, sample_hypotheses
from headwise.training.corruption.crude_errors import CRUDE_KINDS, crude_errors
from headwise.training.corruption.negation import NEGATION_DE
from headwise.training.corruption.plausible_errors import plausible_errors
from headwise.training.corruption.synthetic_errors import CorruptedPair, ErrorKind

__all__ = [
    "CRUDE_KINDS",
    "NEGATION_DE",
    "Answer",
    "CorruptedPair",
    "ErrorKind",
    "Evaluation",
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
    "write_report",
]
