"""Protocols that find out how good scores are; the formulas of metrics live in `metrics`."""

from headwise.evaluation.crude_errors import CRUDE_KINDS, crude_errors
from headwise.evaluation.negation import NEGATION_DE
from headwise.evaluation.plausible_errors import plausible_errors
from headwise.evaluation.synthetic_errors import CorruptedPair, ErrorKind, error_labels

__all__ = [
    "CRUDE_KINDS",
    "NEGATION_DE",
    "CorruptedPair",
    "ErrorKind",
    "crude_errors",
    "error_labels",
    "plausible_errors",
]
