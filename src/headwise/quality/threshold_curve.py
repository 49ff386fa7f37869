"""What every threshold does to tokens whose errors are known, and which one to choose."""

import math
from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from headwise.quality.labelled_tokens import LabelledTokens, missed_weights
from headwise.quality.risk_control import controlled, units_needed
from headwise.quality.thresholds import DEFAULT_RULES, GRID, Aim, Rule, Threshold

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ThresholdCurve:
    """What each threshold of the grid, G of them, does to some tokens.

    Attributes:
        tokens: How many tokens there are.
        wrong: How many of them are wrong.
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
                return self._at(rule, int(np.argmax(self._f1())))
            case Aim.MCC:
                return self._at(rule, int(np.argmax(self._matthews())))
            case Aim.PRECISION:
                assert rule.level is not None
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

    def _f1(self) -> Floats:
        return np.asarray(2.0 * self.found / (self.flagged + self.wrong), np.float64)

    def _matthews(self) -> Floats:
        right = self.tokens - self.wrong
        scale = np.sqrt(self.flagged * (self.tokens - self.flagged)) * math.sqrt(self.wrong * right)
        above = self.found * self.tokens - self.flagged * self.wrong
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
    """Choose a threshold for each rule.

    Args:
        judged: Tokens that the probabilities were not fitted to.
        rules: What to choose thresholds for.

    Returns:
        A threshold a rule, by the rule's name.
    """
    curve = ThresholdCurve.of(judged)
    return {rule.name: curve.choose(rule) for rule in rules}
