"""Maps from a score to the probability that what was scored is right; all of them are monotone.

Scores are oriented: a higher one speaks for the text.
"""

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator
from scipy.special import expit, log_expit, logit

from headwise.errors import CalibrationError
from headwise.metrics.inputs import (
    checked_labels,
    checked_probabilities,
    checked_scores,
    same_length,
)
from headwise.metrics.platt_scaling import MINIMUM_OF_CLASS, platt_line

Floats = NDArray[np.float64]
Method = Literal["isotonic", "platt", "temperature"]

METHODS: tuple[Method, ...] = ("isotonic", "platt", "temperature")
# Probabilities stay this far from 0 and 1, whose logits are infinite
MARGIN = 1e-7
# Where the fit looks; in logarithms, 0.1 is as far from 1 as 10
_LOG_TEMPERATURES = (np.log(0.01), np.log(100.0))


class _Calibrator(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IsotonicCalibrator(_Calibrator):
    """The non-decreasing function with the least squared error.

    Between knots it is linear, outside of them constant. Its values stay ``1 / (n + 2)`` away from
    0 and 1, n items being too few to show a probability beyond that.

    Attributes:
        knots: Scores, rising, ``(K,)``.
        values: The probability at each of them, never falling, ``(K,)``.

    References:
        Zadrozny & Elkan 2002, Transforming Classifier Scores into Accurate Multiclass Probability
        Estimates, section 3.
    """

    method: Literal["isotonic"] = "isotonic"
    knots: tuple[FiniteFloat, ...] = Field(min_length=1)
    values: tuple[Annotated[float, Field(gt=0.0, lt=1.0)], ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.knots) != len(self.values):
            raise ValueError(
                f"`knots` and `values` must be equally many, got {len(self.knots)} and "
                f"{len(self.values)}."
            )
        if np.any(np.diff(self.knots) <= 0.0) or np.any(np.diff(self.values) < 0.0):
            raise ValueError("`knots` must rise and `values` must not fall.")
        return self

    @classmethod
    def fit(
        cls, scores: ArrayLike, correct: ArrayLike, *, probabilities: bool = True
    ) -> "IsotonicCalibrator":
        """Fit to scored items; equal scores get one probability.

        Arguments are those of :func:`fit_calibrator`. Whether scores are probabilities does not
        matter: any monotone change of them gives the same fit.

        Raises:
            CalibrationError: If there are fewer than 10 right or 10 wrong items.
            ValueError: If the arrays are not finite, flat and equally long.
        """
        from sklearn.isotonic import IsotonicRegression

        del probabilities
        x, y = _checked(scores, correct)
        margin = max(1.0 / (len(x) + 2), MARGIN)
        fitted = IsotonicRegression(y_min=margin, y_max=1.0 - margin, out_of_bounds="clip")
        fitted.fit(x, y.astype(np.float64))
        # Equal sums in another order may leave a value a rounding error below its neighbour
        values = np.maximum.accumulate(fitted.y_thresholds_)
        return cls(knots=tuple(fitted.X_thresholds_.tolist()), values=tuple(values.tolist()))

    def __call__(self, scores: ArrayLike) -> Floats:
        """Probabilities in (0, 1) of scores, ``(n,)``, float64."""
        return self.of_valid(checked_scores(scores, name="scores"))

    def of_valid(self, scores: Floats) -> Floats:
        """The same, of scores that need no check, such as those of a head; NaN stays NaN."""
        return np.asarray(np.interp(scores, self.knots, self.values), np.float64)


class PlattCalibrator(_Calibrator):
    """A logistic curve: ``1 / (1 + exp(-(slope * x + intercept)))``.

    x is the logit of the score if that is a probability, otherwise the score. The curve is fitted
    to smoothed labels, so that classes that do not overlap give a finite slope.

    Attributes:
        slope: At least 0.
        on_logit: Whether x is the logit of the score; scores are kept 1e-7 away from 0 and 1 then.

    References:
        Platt 1999, Probabilistic Outputs for Support Vector Machines, section 2.2.
    """

    method: Literal["platt"] = "platt"
    slope: FiniteFloat = Field(ge=0.0)
    intercept: FiniteFloat
    on_logit: bool

    @classmethod
    def fit(
        cls, scores: ArrayLike, correct: ArrayLike, *, probabilities: bool = True
    ) -> "PlattCalibrator":
        """Fit to scored items; arguments are those of :func:`fit_calibrator`.

        Raises:
            CalibrationError: If there are fewer than 10 right or 10 wrong items, or higher scores
                speak against an item.
            ValueError: If the arrays are not finite, flat and equally long, or probabilities lie
                outside [0, 1].
        """
        x, y = _checked(scores, correct)
        if probabilities:
            x = _logits(checked_probabilities(x, name="scores"))
        slope, intercept = platt_line(x, y)
        if slope < 0.0:
            raise CalibrationError(
                "Higher scores go with wrong items in these data, so no rising curve fits; check "
                "the labels, or choose another signal."
            )
        return cls(slope=slope, intercept=intercept, on_logit=probabilities)

    def __call__(self, scores: ArrayLike) -> Floats:
        """Probabilities in (0, 1) of scores, ``(n,)``, float64.

        Raises:
            ValueError: If it was fitted to probabilities and a score lies outside [0, 1].
        """
        check = checked_probabilities if self.on_logit else checked_scores
        return self.of_valid(check(scores, name="scores"))

    def of_valid(self, scores: Floats) -> Floats:
        """The same, of scores that need no check, such as those of a head; NaN stays NaN."""
        x = _logits(scores) if self.on_logit else scores
        return _inside(expit(self.slope * x + self.intercept))


class TemperatureCalibrator(_Calibrator):
    """A probability whose logit is divided by one temperature.

    It can make scores more or less extreme, but 0.5 stays 0.5.

    Attributes:
        temperature: Above 0; the fit looks in [0.01, 100].

    References:
        Guo et al. 2017, arXiv 1706.04599, Eq. 9, for two classes.
    """

    method: Literal["temperature"] = "temperature"
    temperature: FiniteFloat = Field(gt=0.0)

    @classmethod
    def fit(
        cls, scores: ArrayLike, correct: ArrayLike, *, probabilities: bool = True
    ) -> "TemperatureCalibrator":
        """Fit to scored items by the least log loss.

        Arguments are those of :func:`fit_calibrator`; the scores must be probabilities, and are
        kept 1e-7 away from 0 and 1.

        Raises:
            CalibrationError: If there are fewer than 10 right or 10 wrong items.
            ValueError: If the arrays are not finite, flat and equally long, or the scores are no
                probabilities.
        """
        if not probabilities:
            raise ValueError(
                "A temperature needs a signal that is a probability (sigmoid, softmax, boosted); "
                "use isotonic or platt for the others."
            )
        from scipy.optimize import minimize_scalar

        x, y = _checked(scores, correct)
        signed = np.where(y, 1.0, -1.0) * _logits(checked_probabilities(x, name="scores"))

        def loss(log_temperature: float) -> float:
            return float(-np.mean(log_expit(signed / np.exp(log_temperature))))

        found = minimize_scalar(
            loss, bounds=_LOG_TEMPERATURES, method="bounded", options={"xatol": 1e-9}
        )
        return cls(temperature=float(np.exp(found.x)))

    def __call__(self, scores: ArrayLike) -> Floats:
        """Probabilities in (0, 1) of probabilities, ``(n,)``, float64.

        Raises:
            ValueError: If a score lies outside [0, 1].
        """
        return self.of_valid(checked_probabilities(scores, name="scores"))

    def of_valid(self, scores: Floats) -> Floats:
        """The same, of scores that need no check, such as those of a head; NaN stays NaN."""
        return _inside(expit(_logits(scores) / self.temperature))


Calibrator = Annotated[
    IsotonicCalibrator | PlattCalibrator | TemperatureCalibrator, Field(discriminator="method")
]
"""Any of them; ``method`` tells which."""
_CALIBRATORS: dict[Method, type[Calibrator]] = {
    "isotonic": IsotonicCalibrator,
    "platt": PlattCalibrator,
    "temperature": TemperatureCalibrator,
}


def fit_calibrator(
    method: Method, scores: ArrayLike, correct: ArrayLike, *, probabilities: bool = True
) -> Calibrator:
    """Fit the calibrator of a name to oriented scores, ``(n,)``, and whether each item is right.

    Raises:
        CalibrationError: If the data do not suffice.
        ValueError: If the method is unknown or cannot use such scores.
    """
    check_method(method)
    return _CALIBRATORS[method].fit(scores, correct, probabilities=probabilities)


def check_method(method: str) -> None:
    """Refuse what names no calibrator (`ValueError`)."""
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {', '.join(METHODS)}, got {method!r}.")


def _checked(scores: ArrayLike, correct: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    x = checked_scores(scores, name="scores")
    y = checked_labels(correct, name="correct")
    same_length(scores=x, correct=y)
    right = int(y.sum())
    if min(right, len(y) - right) < MINIMUM_OF_CLASS:
        raise CalibrationError(
            f"A calibration needs at least {MINIMUM_OF_CLASS} right and {MINIMUM_OF_CLASS} wrong "
            f"items, got {right} right and {len(y) - right} wrong; add data of the kind that is "
            "missing."
        )
    return x, y


def _logits(probabilities: Floats) -> Floats:
    return np.asarray(logit(_inside(probabilities)), np.float64)


def _inside(probabilities: Floats) -> Floats:
    return np.clip(probabilities, MARGIN, 1.0 - MARGIN)
