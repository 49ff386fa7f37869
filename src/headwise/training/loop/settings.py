"""What the settings of several kinds of runs share; imports nothing heavy, so that help is fast."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter

from headwise.choices import Shown
from headwise.plain_values import from_plain_values, to_plain_values

# A misspelt name in a run file is an error
STRICT = ConfigDict(extra="forbid")
DATA, LOOP, FEATURES = "Data", "Loop", "Features"
BALANCED: Literal["balanced"] = "balanced"


class RunSettings:
    """Settings of a run: they become the plain values of a run file, and come back from them."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values, nested."""
        return to_plain_values(TypeAdapter(type(self)), self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Settings from plain values; what is left out has its default.

        Args:
            values: Nested values by name, as a run file has them.

        Raises:
            ValueError: If a name or a value is none of a run's.
        """
        return from_plain_values(TypeAdapter(cls), values)


# Those of Transformers, which takes seconds to import and ask; a test compares
SCHEDULES = (
    *("linear", "cosine", "cosine_with_restarts", "polynomial", "constant"),
    *("constant_with_warmup", "inverse_sqrt", "reduce_lr_on_plateau", "cosine_with_min_lr"),
    *("cosine_warmup_with_min_lr", "warmup_stable_decay", "greedy"),
)
TRACKERS = (
    *("azure_ml", "comet_ml", "mlflow", "neptune", "tensorboard", "trackio", "wandb"),
    *("codecarbon", "clearml", "dagshub", "flyte", "dvclive", "swanlab", "kubeflow"),
)


def _known_schedule(name: str) -> str:
    if name not in SCHEDULES:
        raise ValueError(f"must be one of {', '.join(SCHEDULES)}")
    return name


def _known_tracker(name: str) -> str:
    if name not in TRACKERS:
        raise ValueError(f"must be of {', '.join(TRACKERS)}")
    return name


def layer_list(value: Any) -> tuple[int, ...]:
    """What a command or a file says, ``12``, ``4,12`` or ``[4, 12]``, as numbers."""
    if numbers := _numbers(value):
        return numbers
    raise ValueError("must be a number such as 12, or several as in 4,12")


def _layers(value: Any) -> Any:
    """The same, or ``auto``."""
    if value in ("auto", ["auto"], ("auto",)):
        return "auto"
    if numbers := _numbers(value):
        return numbers
    raise ValueError("must be a number such as 12, several as in 4,12, or auto")


def _numbers(value: Any) -> tuple[int, ...]:
    given = value if isinstance(value, list | tuple) else [value]
    parts = [part for one in given for part in (one.split(",") if isinstance(one, str) else [one])]
    try:
        if all(type(part) in (int, str) for part in parts):
            return tuple(map(int, parts))
    except ValueError:
        pass
    return ()


def overlaid(base: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Nested values with others laid over them; ``None`` is a value like any other."""
    result = dict(base)
    for name, value in values.items():
        below = result.get(name)
        if isinstance(value, dict) and isinstance(below, dict):
            value = overlaid(below, value)
        result[name] = value
    return result


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


Layers = Annotated[tuple[int, ...] | Literal["auto"], BeforeValidator(_layers)]
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
BatchTokens = Annotated[
    int, Field(ge=1, description="Padded tokens of a batch, prompts included."), Shown(LOOP)
]
BatchSize = Annotated[int, Field(ge=1, description="Pairs in a step."), Shown(LOOP)]
WeightDecay = Annotated[Share, Field(description="AdamW's, of matrices."), Shown(LOOP)]
ClassWeights = Literal["balanced"] | None
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
    Literal["auto", "float32", "float16", "bfloat16", "float8"],
    Field(
        description="Of cached vectors; by default float16 for those of tokens, else float32. "
        "float8 takes half the room of float16."
    ),
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
class DevEvaluation:
    """What one evaluation on dev found.

    Attributes:
        step: After how many steps.
        epoch: After how many epochs.
        metrics: By name: ``loss`` in nats, ``auroc`` and its parts in [0, 1].
    """

    step: int
    epoch: float
    metrics: dict[str, float]
