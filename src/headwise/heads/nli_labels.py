"""What a hypothesis can be to its premise."""

from enum import StrEnum


class NLILabel(StrEnum):
    """The three classes of entailment; their order is that of the head's outputs."""

    ENTAILMENT = "entailment"
    NEUTRAL = "neutral"
    CONTRADICTION = "contradiction"


NLI_LABELS = tuple(NLILabel)
"""The classes by index: 0 entailment, 1 neutral, 2 contradiction."""
