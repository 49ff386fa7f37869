"""What every metric checks before it counts."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def checked_scores(values: ArrayLike, *, name: str) -> Floats:
    """Finite numbers as a flat array, ``(n,)``, float64; errors call them by ``name``.

    Raises:
        ValueError: If they are not a flat sequence of finite real numbers.
    """
    array = _flat(values, name=name, kind="finite numbers")
    # A wider float may not fit: the infinity that becomes of it is reported below
    with np.errstate(over="ignore"):
        scores = array.astype(np.float64)
    if not (finite := np.isfinite(scores)).all():
        at = int(np.flatnonzero(~finite)[0])
        raise ValueError(f"`{name}` must hold finite numbers, got {array[at]} at index {at}.")
    return scores


def checked_labels(values: ArrayLike, *, name: str) -> Bools:
    """Booleans, or the numbers 0 and 1, as a flat array, ``(n,)``, bool.

    Raises:
        ValueError: If they are not a flat sequence of booleans or of 0 and 1.
    """
    array = _flat(values, name=name, kind="booleans, or 0 and 1")
    if not (allowed := (array == 0) | (array == 1)).all():
        at = int(np.flatnonzero(~allowed)[0])
        raise ValueError(f"`{name}` must hold booleans, or 0 and 1, got {array[at]} at index {at}.")
    return array.astype(np.bool_)


def checked_probabilities(values: ArrayLike, *, name: str) -> Floats:
    """Numbers in [0, 1] as a flat array, ``(n,)``, float64.

    Raises:
        ValueError: If they are not a flat sequence of numbers in [0, 1].
    """
    probabilities = checked_scores(values, name=name)
    if not (inside := (probabilities >= 0) & (probabilities <= 1)).all():
        at = int(np.flatnonzero(~inside)[0])
        raise ValueError(
            f"`{name}` must lie in [0, 1], got {probabilities[at]} at index {at}; "
            "calibrate scores that are no probabilities first."
        )
    return probabilities


def checked_pair(scores: ArrayLike, gold: ArrayLike) -> tuple[Floats, Floats]:
    """Scores and as many gold numbers, each ``(n,)``."""
    values, truth = checked_scores(scores, name="scores"), checked_scores(gold, name="gold")
    same_length(scores=values, gold=truth)
    return values, truth


def checked_ranking(scores: ArrayLike, correct: ArrayLike) -> tuple[Floats, Bools]:
    """Scores and whether each item is right, each ``(n,)``."""
    values = checked_scores(scores, name="scores")
    labels = checked_labels(correct, name="correct")
    same_length(scores=values, correct=labels)
    return values, labels


def unit_scaled(values: Floats) -> tuple[Floats, int]:
    """Divide by a power of two, so that sums, differences and squares do not overflow.

    Gives numbers in [-1, 1], without rounding unless they differ by a factor of 1e300 or more, and
    the exponent ``e`` such that ``values = scaled * 2**e``.
    """
    exponent = int(np.frexp(np.abs(values).max(initial=0.0))[1])
    return np.ldexp(values, -exponent), exponent


def same_length(**arrays: Floats | Bools) -> int:
    """The number of items of arrays that go together, by the names of their arguments.

    Raises:
        ValueError: If their lengths differ.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        names = " and ".join(f"`{name}`" for name in lengths)
        counts = " and ".join(str(length) for length in lengths.values())
        raise ValueError(f"{names} must have one value for each item, got {counts}.")
    return next(iter(lengths.values()), 0)


def _flat(values: ArrayLike, *, name: str, kind: str) -> NDArray[np.generic]:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"`{name}` must be a flat sequence, got sequences of different lengths."
        ) from error
    if array.ndim != 1:
        raise ValueError(f"`{name}` must be a flat sequence, got shape {array.shape}.")
    if array.size and array.dtype.kind not in "biuf":
        # Such as None, which stands for undefined elsewhere, or text
        at = next((i for i, v in enumerate(array.tolist()) if not isinstance(v, int | float)), 0)
        raise ValueError(f"`{name}` must hold {kind}, got {array.tolist()[at]!r} at index {at}.")
    return array
