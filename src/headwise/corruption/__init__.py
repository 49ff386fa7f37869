"""Errors put into correct text on purpose, so that their places are known; no training."""

from headwise.corruption.corrupting import CRUDE_KINDS, corrupt, crude_errors
from headwise.corruption.families import CorruptedPair, Corruption, ErrorFamily, ErrorKind
from headwise.corruption.languages.de import NEGATION_DE
from headwise.corruption.mix import CorruptionMix
from headwise.corruption.plausible_errors import plausible_errors

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
