"""Where to draw the line: thresholds on the probability that a token is right.

A token is flagged if its probability lies below the threshold. Thresholds are taken from one fixed
grid, :data:`GRID`, half a step off the four decimals that views of scored text show, so that a
rounded probability falls on the same side as the exact one.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Floats = NDArray[np.float64]
Share = Annotated[float, Field(ge=0.0, le=1.0)]

# The last one, 1, flags every token: probabilities stay below it
GRID: Floats = np.append((np.arange(10_000) + 0.5) / 10_000, 1.0)
_NAME = re.compile(r"(f1|mcc)|(precision|recall|risk)-(\d*\.?\d+)")


class Aim(StrEnum):
    """What a threshold is chosen for.

    Attributes:
        F1: The best F1 of the wrong tokens.
        MCC: The best Matthews correlation of flags and wrong tokens.
        PRECISION: A share of the flagged tokens that is wrong, with the most wrong tokens found.
        RECALL: A share of the wrong tokens that is flagged, with the fewest flags.
        RISK: A bound on the expected share of a text's wrong tokens that are missed.
    """

    F1 = "f1"
    MCC = "mcc"
    PRECISION = "precision"
    RECALL = "recall"
    RISK = "risk"

    @property
    def takes_level(self) -> bool:
        """Whether a number has to be given with it."""
        return self not in (Aim.F1, Aim.MCC)


@dataclass(frozen=True, slots=True)
class Rule:
    """How to choose a threshold.

    Attributes:
        level: The precision, recall or risk that is wanted, in (0, 1); ``None`` for the others.
    """

    aim: Aim
    level: float | None = None

    def __post_init__(self) -> None:
        if (self.level is not None) != self.aim.takes_level:
            needs = "a level" if self.aim.takes_level else "no level"
            raise ValueError(f"`{self.aim}` takes {needs}, got {self.level}.")
        if self.level is not None and not 0.0 < self.level < 1.0:
            raise ValueError(f"The level of `{self.aim}` must lie in (0, 1), got {self.level}.")

    @property
    def name(self) -> str:
        """``f1``, ``precision-0.8``, and so on."""
        return self.aim.value if self.level is None else f"{self.aim}-{self.level:g}"

    @classmethod
    def of(cls, name: str) -> "Rule":
        """The rule of a name.

        Raises:
            ValueError: If it names none.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(
                f"A threshold is named f1, mcc, precision-P, recall-R or risk-A, as in risk-0.1; "
                f"got {name!r}."
            )
        if match[1]:
            return cls(Aim(match[1]))
        return cls(Aim(match[2]), float(match[3]))


DEFAULT_SEGMENT_RULE = Rule(Aim.MCC)
DEFAULT_RULES = tuple(map(Rule.of, ("f1", "mcc", "precision-0.8", "recall-0.9", "risk-0.1")))


class Threshold(BaseModel):
    """A threshold and what it does on some data: at first, those that it was chosen on.

    Attributes:
        value: Tokens with a probability below it are flagged; ``None`` if no threshold will do.
        precision: Share of the flagged tokens that is wrong; ``None`` if none is flagged.
        recall: Share of the wrong tokens that is flagged.
        flagged: Share of all tokens that is flagged.
        risk: Mean share of a text's wrong tokens that are missed, see
            :mod:`~headwise.quality.calibration.threshold_curve`.
        units: How many units, sources or texts, that mean is over.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    aim: Aim
    level: Share | None = None
    value: Share | None
    reason: str | None = None
    precision: Share | None = None
    recall: Share | None = None
    flagged: Share | None = None
    risk: Share | None = None
    units: int = Field(ge=0)

    @property
    def name(self) -> str:
        """That of its rule: ``mcc``, ``recall-0.9``, and so on."""
        return Rule(self.aim, self.level).name

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.value is None) != (self.reason is not None):
            raise ValueError("A threshold needs a value, or a reason why it has none.")
        return self
