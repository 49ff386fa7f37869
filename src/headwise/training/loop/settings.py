"""Checks that the settings of several kinds of runs share."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from transformers import SchedulerType
from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK


def check_names(*, schedule: str, report_to: Sequence[str]) -> None:
    """Refuse schedules and trackers that Transformers does not know.

    Raises:
        ValueError: If so.
    """
    known = [kind.value for kind in SchedulerType]
    if schedule not in known:
        raise ValueError(f"`schedule` must be one of {', '.join(known)}; got {schedule!r}.")
    for name in report_to:
        if name not in INTEGRATION_TO_CALLBACK:
            raise ValueError(
                f"`report_to` must be of {', '.join(INTEGRATION_TO_CALLBACK)}; got {name!r}."
            )


def check_counts(settings: object, *names: str) -> None:
    """Refuse numbers below 1.

    Raises:
        ValueError: If so.
    """
    for name in names:
        if getattr(settings, name) < 1:
            raise ValueError(f"`{name}` must be at least 1, got {getattr(settings, name)}.")


def check_shares(settings: object, *names: str) -> None:
    """Refuse shares outside [0, 1).

    Raises:
        ValueError: If so.
    """
    for name in names:
        if not 0.0 <= getattr(settings, name) < 1.0:
            raise ValueError(f"`{name}` must lie in [0, 1), got {getattr(settings, name)}.")


def check_positive(settings: object, *names: str) -> None:
    """Refuse numbers that are not above 0.

    Raises:
        ValueError: If so.
    """
    for name in names:
        if not getattr(settings, name) > 0.0:
            raise ValueError(f"`{name}` must be positive, got {getattr(settings, name)}.")


def check_choice(settings: object, name: str, allowed: Sequence[object]) -> None:
    """Refuse a value that is none of a few.

    Raises:
        ValueError: If so.
    """
    if (value := getattr(settings, name)) not in allowed:
        raise ValueError(f"`{name}` must be one of {', '.join(map(str, allowed))}, got {value!r}.")


BALANCED = "balanced"


class FeatureChoice(StrEnum):
    """Where training reads features from.

    Attributes:
        AUTO: From a cache, if there will be a second epoch and the disk has room; else live.
        CACHE: From files that one pass of the model writes.
        LIVE: From the model, in every epoch anew.
    """

    AUTO = "auto"
    CACHE = "cache"
    LIVE = "live"


class Criterion(StrEnum):
    """What decides on dev which head is the best and when to stop.

    Attributes:
        LOSS: The objective itself, the lower the better.
        AUROC: How well scores tell the dev tokens from wrong ones, the higher the better.
    """

    LOSS = "loss"
    AUROC = "auroc"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one evaluation on dev found.

    Attributes:
        step: After how many steps.
        epoch: After how many epochs.
        metrics: By name: ``loss`` in nats, ``auroc`` and its parts in [0, 1].
    """

    step: int
    epoch: float
    metrics: dict[str, float]
