"""Several signals of a token, or of a text, as one number: a weighted sum on a common scale."""

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator
from scipy.special import expit, log_expit, logit

from headwise.data.records.signals import Aggregation, Signal, aggregate
from headwise.errors import CalibrationError
from headwise.metrics.bootstrap import group_indices
from headwise.metrics.inputs import checked_labels, checked_scores, same_length
from headwise.metrics.platt_scaling import MINIMUM_OF_CLASS

Floats = NDArray[np.float64]
Feature = Signal | tuple[Signal, Aggregation]
"""What is weighed: a signal of a token, or an aggregate of a signal of a whole text's tokens."""

# Probabilities stay this far from 0 and 1, whose logits are infinite
_MARGIN = 1e-7
# Of the squared weights of standardised features, against the summed loss of all items
_L2 = 1.0
_FOLDS = 5


class Blend(BaseModel):
    """One number of a token or a text, the higher the better, from one or more signals.

    One signal without weights is taken as it is, turned such that high is good. Otherwise the
    number is the probability of a logistic regression, in (0, 1): each feature is put on a scale
    of evidence (the logit of a probability of being right; the logarithm of the probability, minus
    the entropy, minus the logarithm of the rank), standardised, weighed and summed. No weight is
    negative, so that the number never falls where a signal gets better.

    Attributes:
        signals: What is weighed; `quality`, of texts alone, is the calibrated one of tokens.
        aggregations: How each signal's values of a text's tokens become one, if the number is that
            of a text; none of a token. The number of a token may weigh its text as well, whose
            words are wrong the more often the worse it is: then ``None`` for what is its own.
        weights: Those of the standardised features, at least 0.
        means: What is subtracted of each feature first.
        scales: What it is divided by then, above 0.
        intercept: What is added to the sum.

    References:
        Brümmer & du Preez 2006, "Application-independent evaluation of speaker detection", for the
        fusion of scores by logistic regression.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    signals: tuple[Signal, ...] = Field(min_length=1)
    aggregations: tuple[Aggregation | None, ...] = ()
    weights: tuple[Annotated[FiniteFloat, Field(ge=0.0)], ...] = ()
    means: tuple[FiniteFloat, ...] = ()
    scales: tuple[Annotated[FiniteFloat, Field(gt=0.0)], ...] = ()
    intercept: FiniteFloat = 0.0

    @classmethod
    def alone(cls, signal: Signal | str, aggregation: Aggregation | str | None = None) -> Self:
        """A single signal as it is, of a token or aggregated for a text.

        Args:
            signal: Its name.
            aggregation: How the tokens of a text are combined; ``None`` for a token.
        """
        how = () if aggregation is None else (Aggregation(aggregation),)
        return cls(signals=(Signal(signal),), aggregations=how)

    @model_validator(mode="after")
    def _check(self) -> Self:
        count = len(self.signals)
        weighted = {"weights": self.weights, "means": self.means, "scales": self.scales}
        if count > 1 or any(weighted.values()):
            for name, values in weighted.items():
                if len(values) != count:
                    raise ValueError(
                        f"`{name}` must be one a signal, got {len(values)} for {count} signals."
                    )
            if not any(self.weights):
                raise ValueError("`weights` must not all be 0.")
        if self.aggregations and len(self.aggregations) != count:
            raise ValueError(
                f"`aggregations` must be one a signal, or none where tokens are weighed; got "
                f"{len(self.aggregations)} for {count} signals."
            )
        if len(set(self.features)) < count:
            raise ValueError(f"A feature is given twice: {self.name}.")
        for signal, how in zip(self.signals, self.aggregations, strict=False):
            if how is not None:
                aggregate((), how, signal=signal)  # refuses what is not defined
        refused = {Signal.OMISSION} if self.of_texts else {Signal.OMISSION, Signal.QUALITY}
        if found := refused & set(self.signals):
            raise ValueError(
                f"`signals` must be what `quality` is to be made of, not `{min(found)}`."
            )
        return self

    @property
    def features(self) -> tuple[Feature, ...]:
        """What it is called with."""
        both = zip(self.signals, self.aggregations or repeat(None), strict=False)
        return tuple(signal if how is None else (signal, how) for signal, how in both)

    @property
    def of_texts(self) -> bool:
        """Whether it is the number of a text: nothing in it is a token's own."""
        return bool(self.aggregations) and None not in self.aggregations

    @property
    def reads_context(self) -> bool:
        """Whether it is the number of a token that weighs its text as well."""
        return None in self.aggregations

    @property
    def single(self) -> Signal | None:
        """The signal that is taken as it is; ``None`` where features are weighed."""
        return None if self.weights else self.signals[0]

    @property
    def is_probability(self) -> bool:
        """Whether its values lie in [0, 1]."""
        return self.single is None or self.single.is_probability

    @property
    def name(self) -> str:
        """What it is made of, in words: ``1.21 error + 0.32 sigmoid``."""
        names = list(map(_named, self.features))
        if not self.weights:
            return names[0]
        weighed = zip(self.weights, names, strict=True)
        return " + ".join(f"{weight:.2f} {name}" for weight, name in weighed)

    def __call__(self, columns: Mapping[Feature, ArrayLike]) -> Floats:
        """Values of n tokens or texts, ``(n,)``, float64.

        Args:
            columns: The features as signals have them, ``(n,)`` each; others are not looked at.
        """
        if (signal := self.single) is not None:
            return signal.oriented(np.asarray(columns[self.features[0]], np.float64))
        total = np.asarray(self.intercept, np.float64)
        for feature, weight, mean, scale in zip(
            self.features, self.weights, self.means, self.scales, strict=True
        ):
            total = total + weight * (evidence(columns[feature], feature) - mean) / scale
        return np.asarray(expit(total), np.float64)

    def of_text(self, values: Mapping[Signal, Sequence[float]]) -> float | None:
        """The value of a text, by the values of its tokens; ``None`` if one feature has none.

        Args:
            values: Of all tokens, in order, by signal.
        """
        columns: dict[Feature, list[float]] = {}
        for feature in self.features:
            value = aggregated(values, feature)
            if value is None:
                return None
            columns[feature] = [value]
        return float(self(columns)[0])


def aggregated(values: Mapping[Signal, Sequence[float]], feature: Feature) -> float | None:
    """What a feature of texts is worth, by the values of a text's tokens; ``None`` for none.

    Args:
        values: Of all tokens, in order, by signal.
        feature: A signal and its aggregation.
    """
    assert not isinstance(feature, Signal)
    signal, how = feature
    return aggregate(values[signal], how, signal=signal)


def evidence(values: ArrayLike, feature: Feature) -> Floats:
    """Values of a feature on the scale that is weighed, where high is good and sums make sense.

    Args:
        values: Of a feature, of any shape.
        feature: A signal, or one with its aggregation.
    """
    signal = _signal(feature)
    numbers = np.asarray(values, np.float64)
    if signal.is_probability:
        right = np.clip(signal.oriented(numbers), _MARGIN, 1.0 - _MARGIN)
        return np.asarray(logit(right), np.float64)
    if signal is Signal.RANK:
        return -np.log(np.maximum(numbers, 1.0))
    return signal.oriented(numbers)


def fit_blend(
    columns: Mapping[Feature, ArrayLike], correct: ArrayLike, groups: ArrayLike | None = None
) -> Blend:
    """Fit weights to items that are known to be right or wrong: a logistic regression.

    No weight may be negative; of the loss and a small L2 penalty of the weights, the least is
    found. Features that get no weight are left out of what is returned.

    Args:
        columns: Features by name: a signal of tokens, or for texts a signal and an aggregation
            (``(Signal.LOGPROB, Aggregation.MEAN)``), as signals have them, ``(n,)`` each. Beside
            signals of tokens, the latter are those of their texts.
        correct: Whether each item is right: the token, or the text without an error, ``(n,)``.
        groups: Groups of items, ``(n,)``, that are to count alike, such as languages of which there
            are more and less; without them each item counts alike.

    Raises:
        CalibrationError: If there are fewer than 10 right or 10 wrong items, or every feature
            speaks against what is right.
        ValueError: If the arrays are not finite, flat and equally long, or a feature cannot be
            weighed.
    """
    from scipy.optimize import minimize

    features = tuple(columns)
    right = checked_labels(correct, name="correct")
    found = {f: checked_scores(evidence(values, f), name=str(f)) for f, values in columns.items()}
    same_length(**{str(f): values for f, values in found.items()}, correct=right)
    rarer = min(int(right.sum()), int((~right).sum()))
    if not features or rarer < MINIMUM_OF_CLASS:
        raise CalibrationError(
            f"Weights need a feature, and {MINIMUM_OF_CLASS} right and {MINIMUM_OF_CLASS} wrong "
            f"items at least; got {len(features)} features, and {rarer} items of the rarer kind."
        )
    x = np.stack(list(found.values()), axis=1)
    means, scales = x.mean(axis=0), x.std(axis=0)
    scales = np.where(scales > 0.0, scales, 1.0)
    z = (x - means) / scales
    signs = np.where(right, 1.0, -1.0)
    counted = np.full(len(right), 1.0 / len(right))
    if groups is not None:
        group_of = group_indices(groups, count=len(right))
        sizes = np.bincount(group_of)
        counted = 1.0 / (sizes[group_of] * len(sizes))

    def loss(line: Floats) -> tuple[float, Floats]:
        weights, margins = line[:-1], signs * (z @ line[:-1] + line[-1])
        value = -counted @ log_expit(margins) + _L2 / (2 * len(right)) * weights @ weights
        slope = -counted * signs * expit(-margins)
        return float(value), np.append(z.T @ slope + _L2 / len(right) * weights, slope.sum())

    start = np.append(np.zeros(len(features)), logit(counted @ right))
    bounds = [*[(0.0, None)] * len(features), (None, None)]
    options = {"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000}
    line = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    kept = np.flatnonzero(line[:-1] > 0.0)
    if not len(kept):
        raise CalibrationError(
            f"None of {', '.join(map(_named, features))} speaks for what is right in these data; "
            "check the labels, or choose other signals."
        )
    hows = [None if isinstance(f := features[i], Signal) else f[1] for i in kept]
    return Blend(
        signals=tuple(_signal(features[i]) for i in kept),
        aggregations=tuple(hows) if any(hows) else (),
        weights=tuple(line[kept].tolist()),
        means=tuple(means[kept].tolist()),
        scales=tuple(scales[kept].tolist()),
        intercept=float(line[-1]),
    )


def cross_validated(
    columns: Mapping[Feature, ArrayLike], correct: ArrayLike, groups: ArrayLike
) -> Floats:
    """Values of each item by a blend that was fitted without its group, ``(n,)``.

    The groups, such as sources, are dealt out to five folds in their order.

    Raises:
        CalibrationError: As :func:`fit_blend`, of what is left without a fold.
    """
    right = checked_labels(correct, name="correct")
    arrays = {feature: np.asarray(values, np.float64) for feature, values in columns.items()}
    folds = group_indices(groups, count=len(right)) % _FOLDS
    values = np.empty(len(right))
    for fold in np.unique(folds):
        held_out = folds == fold
        blend = fit_blend({f: one[~held_out] for f, one in arrays.items()}, right[~held_out])
        values[held_out] = blend({f: one[held_out] for f, one in arrays.items()})
    return values


def _signal(feature: Feature) -> Signal:
    return feature if isinstance(feature, Signal) else feature[0]


def _named(feature: Feature) -> str:
    return feature.value if isinstance(feature, Signal) else f"{feature[1]} of {feature[0]}"
