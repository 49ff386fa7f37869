"""Pairs whose label can be learned from their words, for encoders that know nothing."""

import random

from headwise.data.records.inferences import InferencePair
from headwise.heads import NLI_LABELS, NLILabel

_THINGS = ("dog", "cat", "woman", "book", "park", "beach", "children", "tea", "mat", "football")
_SIGNS = {
    NLILabel.ENTAILMENT: "is the",
    NLILabel.NEUTRAL: "reads green",
    NLILabel.CONTRADICTION: "sat on",
}


def made_pairs(count: int, *, seed: int = 0, noise: float = 0.15) -> list[InferencePair]:
    """Pairs, three of each premise, some with another label than their words say.

    Args:
        count: How many.
        seed: Of words and noise.
        noise: Share of pairs that get a random label.
    """
    draw = random.Random(seed)
    pairs = []
    for number in range(count):
        if number % 3 == 0:
            premise = " ".join(draw.choices(_THINGS, k=3)) + f" {number}"
        label = NLI_LABELS[number % 3]
        hypothesis = f"{draw.choice(_THINGS)} {_SIGNS[label]} {draw.choice(_THINGS)}"
        if draw.random() < noise:
            label = draw.choice(NLI_LABELS)
        pairs.append(InferencePair(premise, hypothesis, label, number + 1))
    return pairs
