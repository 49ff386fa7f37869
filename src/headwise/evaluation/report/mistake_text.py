"""What is said of a mistake, in every rendering."""

from headwise.evaluation.results import Mistake
from headwise.quality.number_text import number

MISTAKES = "Surest mistakes"


def mistake_verdict(item: Mistake) -> str:
    """What the model said and what is right, in a sentence.

    Args:
        item: The mistake.
    """
    kept = "abstained" if item.abstained else "did not abstain"
    return f"Answered {item.predicted}, gold {item.gold}; the model {kept}."


def mistake_summary(item: Mistake) -> str:
    """The same with its numbers.

    Args:
        item: The mistake.
    """
    return (
        f"{mistake_verdict(item)} Confidence {number(item.confidence, 3)}, "
        f"uncertainty {number(item.uncertainty, 3)}."
    )
