"""Which spans of an answer its context does not support; no training, no pages."""

from headwise.grounding.answer_stream import AnswerStream
from headwise.grounding.detector import GroundingDetector
from headwise.grounding.records import (
    CheckedSentence,
    GroundedAnswer,
    UnsupportedQuantity,
    UnsupportedSpan,
)

__all__ = [
    "AnswerStream",
    "CheckedSentence",
    "GroundedAnswer",
    "GroundingDetector",
    "UnsupportedQuantity",
    "UnsupportedSpan",
]
