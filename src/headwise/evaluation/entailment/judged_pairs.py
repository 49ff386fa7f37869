"""What a model says about a pair, beside what people say about it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwise.heads import NLI_LABELS, NLILabel
from headwise.metrics.inputs import Bools, Floats

CLASS_NAMES = tuple(label.value for label in NLI_LABELS)

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedInference:
    """A premise and a hypothesis, what the model answers, and the gold.

    Attributes:
        label: What people say.
        probabilities: The model's, of the three classes in the order of ``NLI_LABELS``.
        uncertainty: The one that the model abstains by, in [0, 1].
        abstain: Whether it abstains.
        group: What belongs together when pairs are resampled: those of one premise.
        premise: What is given.
        hypothesis: What may follow from it.
    """

    premise: str
    hypothesis: str
    label: NLILabel
    probabilities: tuple[float, float, float]
    uncertainty: float
    abstain: bool
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedArrays:
    """Judged pairs as numbers, ``(N,)`` each; classes are indices.

    The model abstains by ``uncertainty``, and pairs of one group are resampled together.
    """

    gold: Indices
    predicted: Indices
    probabilities: Floats
    uncertainty: Floats
    answered: Bools
    groups: Indices

    @property
    def correct(self) -> Bools:
        """Where the answer is that of the gold, ``(N,)``."""
        right: Bools = self.predicted == self.gold
        return right

    @property
    def confidence(self) -> Floats:
        """Probability of the answer, ``(N,)``."""
        largest: Floats = self.probabilities.max(axis=1)
        return largest


def judged_arrays(inferences: Sequence[JudgedInference]) -> JudgedArrays:
    """Pairs as numbers.

    Raises:
        ValueError: If there are none.
    """
    if not inferences:
        raise ValueError("There is no pair with a label to evaluate.")
    numbers: dict[str, int] = {}
    groups = [numbers.setdefault(one.group, len(numbers)) for one in inferences]
    index = {label: place for place, label in enumerate(NLI_LABELS)}
    probabilities = np.array([one.probabilities for one in inferences], dtype=np.float64)
    return JudgedArrays(
        gold=np.array([index[one.label] for one in inferences], dtype=np.int64),
        predicted=probabilities.argmax(axis=1).astype(np.int64),
        probabilities=probabilities,
        uncertainty=np.array([one.uncertainty for one in inferences], dtype=np.float64),
        answered=np.array([not one.abstain for one in inferences], dtype=np.bool_),
        groups=np.array(groups, dtype=np.int64),
    )
