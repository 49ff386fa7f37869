"""What the settings of several kinds of runs share; imports nothing heavy, so that help is fast."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from headwise.choices import Shown

# A misspelt name in a run file is an error
STRICT = ConfigDict(extra="forbid")
DATA, LOOP, FEATURES = "Data", "Loop", "Features"
BALANCED = "balanced"


def _known_schedule(name: str) -> str:
    from transformers import SchedulerType

    known = [kind.value for kind in SchedulerType]
    if name not in known:
        raise ValueError(f"`schedule` must be one of {', '.join(known)}")
    return name


def _known_tracker(name: str) -> str:
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    if name not in INTEGRATION_TO_CALLBACK:
        raise ValueError(f"`report_to` must be of {', '.join(INTEGRATION_TO_CALLBACK)}")
    return name


def check_names(*, schedule: str, report_to: Sequence[str]) -> None:
    """Refuse schedules and trackers that Transformers does not know."""
    from transformers import SchedulerType
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

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


# A share of a layer, a label or the steps
Share = Annotated[float, Field(ge=0, lt=1)]
Epochs = Annotated[int, Field(ge=1, description="Passes over the data at most."), Shown(LOOP)]
LearningRate = Annotated[float, Field(gt=0, description="Peak of the schedule."), Shown(LOOP)]
Schedule = Annotated[
    str,
    AfterValidator(_known_schedule),
    Field(description="cosine, linear, constant, ..."),
    Shown(LOOP),
]
WarmupShare = Annotated[
    Share, Field(description="Share of steps in which the rate rises."), Shown(LOOP)
]
BatchSize = Annotated[int, Field(ge=1, description="Pairs in a step."), Shown(LOOP)]
WeightDecay = Annotated[Share, Field(description="AdamW's, of matrices."), Shown(LOOP)]
PatienceInEpochs = Annotated[
    int, Field(ge=1, description="Epochs without an improvement."), Shown(LOOP)
]
ReportTo = Annotated[
    tuple[Annotated[str, AfterValidator(_known_tracker)], ...],
    Field(description="tensorboard, wandb, ...; may be repeated."),
    Shown(LOOP),
]
VectorChoice = Annotated[
    FeatureChoice,
    Field(description="Vectors come from a cache on disk, or from the encoder in every epoch."),
    Shown(FEATURES, name="features"),
]
VectorDtype = Annotated[
    Literal["float32", "float16", "bfloat16"],
    Field(description="Of cached vectors."),
    Shown(FEATURES),
]
HiddenStateDtype = Annotated[
    Literal["bfloat16", "float32"], Field(description="Of cached hidden states."), Shown(FEATURES)
]
FeatureFolder = Annotated[
    str | None,
    Field(description="Of the cache; by default OUTPUT/features. May serve several runs."),
    Shown(FEATURES),
]
MaxLength = Annotated[
    int | None,
    Field(ge=1, description="Longest example in tokens; by default what the model reads."),
    Shown(DATA),
]


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
