"""Errors put into correct text on purpose, so that their places are known; no training."""

from typing import TYPE_CHECKING

from headwise.corruption.families import Corruption, ErrorFamily
from headwise.corruption.languages.de import NEGATION_DE
from headwise.corruption.mix import CorruptionMix
from headwise.lazy_names import lazy_names

if TYPE_CHECKING:
    from headwise.corruption.corrupting import CRUDE_KINDS, corrupt, crude_errors
    from headwise.corruption.error_copies import (
        ErrorTexts,
        several_errors,
        synthetic_errors,
        with_error_copies,
    )
    from headwise.corruption.machine_errors import MarkedText, MarkSettings, mark_machine_errors
    from headwise.corruption.plausible_texts import plausible_errors
    from headwise.corruption.sampled_texts import sampled_errors

# Imported when they are used: settings name the mix, and commands show settings in their help
_HOMES = {
    ".corrupting": ("CRUDE_KINDS", "corrupt", "crude_errors"),
    ".error_copies": ("ErrorTexts", "several_errors", "synthetic_errors", "with_error_copies"),
    ".machine_errors": ("MarkSettings", "MarkedText", "mark_machine_errors"),
    ".plausible_texts": ("plausible_errors",),
    ".sampled_texts": ("sampled_errors",),
}

__all__ = [
    "CRUDE_KINDS",
    "NEGATION_DE",
    "Corruption",
    "CorruptionMix",
    "ErrorFamily",
    "ErrorTexts",
    "MarkSettings",
    "MarkedText",
    "corrupt",
    "crude_errors",
    "mark_machine_errors",
    "plausible_errors",
    "sampled_errors",
    "several_errors",
    "synthetic_errors",
    "with_error_copies",
]

__getattr__ = lazy_names(__name__, _HOMES)
