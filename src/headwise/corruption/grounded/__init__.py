"""Answers that say what their context does not, made on purpose; no models, no training."""

from headwise.corruption.grounded.answers import UnsupportedAnswer, unsupported_answers
from headwise.corruption.grounded.families import GroundedFamily

__all__ = ["GroundedFamily", "UnsupportedAnswer", "unsupported_answers"]
