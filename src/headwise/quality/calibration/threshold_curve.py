"""What every threshold does to tokens whose errors are known, and which one to choose."""

import math
from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headwise.quality.calibration.thresholds import DEFAULT_RULES, GRID, Aim, Rule, Threshold

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelledTokens:
    """N tokens: whether each is wrong, and the probability, in [0, 1), that it is right.

    ``texts`` and ``units`` number what a token belongs to; all are ``(N,)``. Units are independent
    of one another, texts of one source are not.
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
    """What missing each of N tokens adds to the mean share of missed errors.

    Texts without errors count for nothing: there is nothing in them to miss. The share of a text
    is averaged over the texts of its unit, and that over the units.

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


# What sums of floating point numbers may be off by
_ROUNDING = 1e-12


def controlled(mean_losses: ArrayLike, *, units: int, level: float) -> int | None:
    """The first threshold that controls the risk: ``(n * mean loss + 1) / (n + 1) <= level``.

    Args:
        mean_losses: Mean loss of n units at each of G rising thresholds, never rising, ``(G,)``.
        units: n.
        level: Bound on the expected loss of the next unit, in (0, 1).

    Returns:
        The index of the threshold; ``None`` if none will do, as with fewer than
        :func:`units_needed` units.

    Raises:
        ValueError: If the level is not in (0, 1), or losses rise or leave [0, 1].

    References:
        Angelopoulos et al. 2022, arXiv 2208.02814, Eq. 4.
    """
    losses = np.asarray(mean_losses, np.float64)
    _check_level(level)
    if losses.ndim != 1 or not ((losses >= -_ROUNDING) & (losses <= 1.0 + _ROUNDING)).all():
        raise ValueError("`mean_losses` must be flat and lie in [0, 1].")
    if np.any(np.diff(losses) > _ROUNDING):
        raise ValueError("`mean_losses` must not rise from one threshold to the next.")
    if units < 1:
        return None
    bounds = (units * losses + 1.0) / (units + 1.0)
    good = bounds <= level + _ROUNDING
    return int(np.argmax(good)) if good.any() else None


def units_needed(level: float) -> int:
    """The fewest units with which a risk in (0, 1) can be controlled: ``1 / (n + 1) <= level``."""
    _check_level(level)
    return max(math.ceil(1.0 / level - 1.0 - 1e-9), 1)


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise ValueError(f"`level` must lie in (0, 1), got {level}.")


@dataclass(frozen=True, slots=True)
class ThresholdCurve:
    """What each threshold of the grid, G of them, does to some tokens.

    Attributes:
        flagged: Tokens below each threshold, ``(G,)``.
        found: Wrong tokens among them, ``(G,)``.
        missed: Mean over the units of the share of wrong tokens that are missed, ``(G,)``.
        units: How many units have a wrong token.
    """

    tokens: int
    wrong: int
    flagged: Floats
    found: Floats
    missed: Floats
    units: int

    @classmethod
    def of(cls, judged: LabelledTokens) -> "ThresholdCurve":
        """Count once for all thresholds."""
        # The first threshold that flags a token; all later ones do, too
        first = np.searchsorted(GRID, judged.probabilities, side="right")
        weights, units = missed_weights(judged)
        flagged = np.bincount(first, minlength=len(GRID))
        found = np.bincount(first[judged.wrong], minlength=len(GRID))
        missed = np.bincount(first[judged.wrong], weights[judged.wrong], minlength=len(GRID))
        return cls(
            tokens=len(first),
            wrong=int(judged.wrong.sum()),
            flagged=np.cumsum(flagged).astype(np.float64),
            found=np.cumsum(found).astype(np.float64),
            # Summed from the end, so that it is exactly 0 where nothing is missed
            missed=np.append(np.cumsum(missed[:0:-1])[::-1], 0.0),
            units=units,
        )

    def choose(self, rule: Rule) -> Threshold:
        """The threshold of a rule; of several that do equally well, the lowest."""
        if self.wrong in (0, self.tokens):
            kind = "wrong" if self.wrong == 0 else "right"
            return self._none(rule, f"The data have no {kind} token.")
        match rule.aim:
            case Aim.F1:
                f1 = 2.0 * self.found / (self.flagged + self.wrong)
                return self._at(rule, int(np.argmax(f1)))
            case Aim.MCC:
                return self._at(rule, int(np.argmax(self._matthews())))
            case Aim.PRECISION:
                assert rule.level is not None
                # The slack is for a product that rounding leaves just above a whole number
                good = (self.flagged > 0) & (self.found >= rule.level * self.flagged - 1e-9)
                if not good.any():
                    return self._none(rule, f"No threshold reaches a precision of {rule.level:g}.")
                most = self.found[good].max()
                return self._at(rule, int(np.argmax(good & (self.found == most))))
            case Aim.RECALL:
                assert rule.level is not None
                return self._at(rule, int(np.argmax(self.found >= rule.level * self.wrong - 1e-9)))
            case Aim.RISK:
                assert rule.level is not None
                index = controlled(self.missed, units=self.units, level=rule.level)
                if index is not None:
                    return self._at(rule, index)
                return self._none(
                    rule,
                    f"A risk of {rule.level:g} needs {units_needed(rule.level)} or more sources "
                    f"with errors, there are {self.units}.",
                )
            case _:
                assert_never(rule.aim)

    def measure(self, threshold: Threshold) -> Threshold:
        """What a threshold that was chosen on other tokens does to these.

        Raises:
            ValueError: If it has no value, or one that is not on the grid.
        """
        index = int(np.searchsorted(GRID, -1.0 if threshold.value is None else threshold.value))
        if index == len(GRID) or GRID[index] != threshold.value:
            raise ValueError(f"`threshold` must have a value on the grid, got {threshold.value}.")
        return self._at(Rule(threshold.aim, threshold.level), index)

    def _matthews(self) -> Floats:
        right = self.tokens - self.wrong
        scale = np.sqrt(self.flagged * (self.tokens - self.flagged)) * math.sqrt(self.wrong * right)
        above = self.found * self.tokens - self.flagged * self.wrong
        # Where all tokens are flagged, or none is, 0 over 0 counts as no correlation
        return np.divide(above, scale, out=np.zeros_like(above), where=scale > 0.0)

    def _at(self, rule: Rule, index: int) -> Threshold:
        flagged, found = self.flagged[index], self.found[index]
        return Threshold(
            aim=rule.aim,
            level=rule.level,
            value=float(GRID[index]),
            precision=float(found / flagged) if flagged else None,
            recall=float(found / self.wrong) if self.wrong else None,
            flagged=float(flagged / self.tokens) if self.tokens else None,
            # A sum of weights may exceed 1 by a rounding error
            risk=min(float(self.missed[index]), 1.0) if self.units else None,
            units=self.units,
        )

    def _none(self, rule: Rule, reason: str) -> Threshold:
        return Threshold(
            aim=rule.aim, level=rule.level, value=None, reason=reason, units=self.units
        )


def choose_thresholds(
    judged: LabelledTokens, rules: tuple[Rule, ...] = DEFAULT_RULES
) -> dict[str, Threshold]:
    """A threshold for each rule, by its name, from tokens that no probability was fitted to."""
    curve = ThresholdCurve.of(judged)
    return {rule.name: curve.choose(rule) for rule in rules}
