"""Tokens with the probability that they are right, beside what they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelledTokens:
    """Tokens with their probabilities and what they are.

    Attributes:
        probabilities: Probability that each token is right, in [0, 1), ``(N,)``.
        wrong: Whether it is wrong, ``(N,)``.
        texts: Number of the text that it stands in, ``(N,)``.
        units: Number of the unit that its text belongs to, ``(N,)``. Units are independent of one
            another, texts of one source are not.
    """

    probabilities: Floats
    wrong: NDArray[np.bool_]
    texts: NDArray[np.int64]
    units: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        probabilities: ArrayLike,
        wrong: ArrayLike,
        texts: ArrayLike,
        units: ArrayLike | None = None,
    ) -> "LabelledTokens":
        """Tokens from anything like an array; by default each text is a unit.

        Raises:
            ValueError: If the arrays are not flat and equally long, or a probability is not in
                [0, 1).
        """
        p, labels = np.asarray(probabilities, np.float64), np.asarray(wrong, np.bool_)
        t = np.asarray(texts, np.int64)
        u = t if units is None else np.asarray(units, np.int64)
        if p.ndim != 1 or not p.shape == labels.shape == t.shape == u.shape:
            raise ValueError(
                "`probabilities`, `wrong`, `texts` and `units` must be flat and equally long, got "
                f"the shapes {p.shape}, {labels.shape}, {t.shape} and {u.shape}."
            )
        if not ((p >= 0.0) & (p < 1.0)).all():
            raise ValueError("`probabilities` must lie in [0, 1): a sure token is never flagged.")
        return cls(p, labels, t, u)


def missed_weights(judged: LabelledTokens) -> tuple[Floats, int]:
    """What missing each token adds to the mean share of missed errors.

    Texts without errors count for nothing: there is nothing in them to miss. The share of a text
    is averaged over the texts of its unit, and that over the units.

    Args:
        judged: N tokens.

    Returns:
        The weights, ``(N,)``, which are 0 for right tokens and else sum to 1, and the number of
        units.
    """
    weights = np.zeros(len(judged.wrong))
    _, text, in_text = np.unique(
        judged.texts[judged.wrong], return_inverse=True, return_counts=True
    )
    unit_names, unit = np.unique(judged.units[judged.wrong], return_inverse=True)
    # Each text counts once in its unit, however many wrong tokens it has
    unit_of_text = np.zeros(len(in_text), np.int64)
    unit_of_text[text] = unit
    texts_in_unit = np.bincount(unit_of_text, minlength=len(unit_names))
    weights[judged.wrong] = 1.0 / (in_text[text] * texts_in_unit[unit] * max(len(unit_names), 1))
    return weights, len(unit_names)
