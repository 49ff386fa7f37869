"""Errors put into correct text on purpose, so that their places are known; no training."""

from headwise.corruption.corrupting import CRUDE_KINDS, corrupt, crude_errors
from headwise.corruption.error_copies import ErrorTexts, error_copies, with_error_copies
from headwise.corruption.families import Corruption, ErrorFamily
from headwise.corruption.languages.de import NEGATION_DE
from headwise.corruption.mix import CorruptionMix
from headwise.corruption.plausible_errors import plausible_errors

__all__ = [
    "CRUDE_KINDS",
    "NEGATION_DE",
    "Corruption",
    "CorruptionMix",
    "ErrorFamily",
    "ErrorTexts",
    "corrupt",
    "crude_errors",
    "error_copies",
    "plausible_errors",
    "with_error_copies",
]
