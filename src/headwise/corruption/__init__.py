"""Errors put into correct text on purpose, so that their places are known; no training."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from headwise.corruption.families import Corruption, ErrorFamily
from headwise.corruption.languages.de import NEGATION_DE
from headwise.corruption.mix import CorruptionMix

if TYPE_CHECKING:
    from headwise.corruption.corrupting import CRUDE_KINDS, corrupt, crude_errors
    from headwise.corruption.error_copies import ErrorTexts, synthetic_errors, with_error_copies
    from headwise.corruption.plausible_texts import plausible_errors

# Imported when they are used: settings name the mix, and commands show settings in their help
_HOMES = {
    "corrupting": ("CRUDE_KINDS", "corrupt", "crude_errors"),
    "error_copies": ("ErrorTexts", "synthetic_errors", "with_error_copies"),
    "plausible_texts": ("plausible_errors",),
}

__all__ = [
    "CRUDE_KINDS",
    "NEGATION_DE",
    "Corruption",
    "CorruptionMix",
    "ErrorFamily",
    "ErrorTexts",
    "corrupt",
    "crude_errors",
    "plausible_errors",
    "synthetic_errors",
    "with_error_copies",
]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"headwise.corruption.{home}"), name)
    raise AttributeError(f"module 'headwise.corruption' has no attribute {name!r}")
