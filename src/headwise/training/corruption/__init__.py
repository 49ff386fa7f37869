"""Errors put into correct text on purpose, so that their places are known; no training."""

from headwise.training.corruption.corrupting import corrupt
from headwise.training.corruption.crude_errors import CRUDE_KINDS, crude_errors
from headwise.training.corruption.families import Corruption, ErrorFamily
from headwise.training.corruption.mix import CorruptionMix
from headwise.training.corruption.negation import NEGATION_DE
from headwise.training.corruption.plausible_errors import plausible_errors
from headwise.training.corruption.synthetic_errors import CorruptedPair, ErrorKind

__all__ = [
    "CRUDE_KINDS",
    "NEGATION_DE",
    "CorruptedPair",
    "Corruption",
    "CorruptionMix",
    "ErrorFamily",
    "ErrorKind",
    "corrupt",
    "crude_errors",
    "plausible_errors",
]
