"""Settings and results of training an NLI head."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter

from headwise.features.vectors import VECTOR_DTYPES
from headwise.heads.entailment.nli_head import NLIFeatures
from headwise.plain_values import from_plain_values, to_plain_values
from headwise.training.loop.settings import (
    BALANCED,
    Evaluation,
    FeatureChoice,
    check_choice,
    check_counts,
    check_names,
    check_positive,
    check_shares,
)


class NLICriterion(StrEnum):
    """What decides on dev which head is the best and when to stop.

    Attributes:
        LOSS: Cross-entropy, the lower the better.
        ACCURACY: Share of right labels, the higher the better.
        MACRO_F1: Mean F1 of the classes, the higher the better.
    """

    LOSS = "loss"
    ACCURACY = "accuracy"
    MACRO_F1 = "macro_f1"

    @property
    def higher_is_better(self) -> bool:
        """Whether larger values are better."""
        return self is not NLICriterion.LOSS


@dataclass(frozen=True, slots=True, kw_only=True)
class NLITraining:
    """Settings of a run.

    Attributes:
        features: What the head reads of a pair.
        hidden_size: Width of the head's hidden layer.
        dropout: Share of it that is dropped.
        epochs: Passes over the training pairs at most.
        learning_rate: Peak of the schedule.
        schedule: Name of a Transformers schedule: ``cosine``, ``linear``, ``constant``, ...
        warmup_share: Share of the steps in which the learning rate rises.
        batch_size: Pairs in a step.
        weight_decay: AdamW's, of matrices.
        label_smoothing: Share of the target that is spread over all classes.
        class_weights: ``balanced`` to let each class weigh the same in all, or ``None``.
        criterion: What counts as an improvement on dev, once an epoch.
        patience: Epochs without one before training stops.
        feature_source: Where vectors come from.
        feature_dtype: Of cached vectors: ``float32``, ``float16`` or ``bfloat16``.
        feature_folder: The cache's place; ``None`` for ``features`` beside the checkpoints.
        report_to: Trackers that Transformers knows: ``tensorboard``, ``wandb``, ...
        seed: Of batches and initial weights.
    """

    # Read by pydantic: a misspelt name in a run file is an error
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    features: NLIFeatures = NLIFeatures.PAIR
    hidden_size: int = 512
    dropout: float = 0.1
    epochs: int = 6
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup_share: float = 0.1
    batch_size: int = 256
    weight_decay: float = 0.3
    label_smoothing: float = 0.0
    class_weights: str | None = None
    criterion: NLICriterion = NLICriterion.LOSS
    patience: int = 3
    feature_source: FeatureChoice = FeatureChoice.AUTO
    feature_dtype: str = "float32"
    feature_folder: str | None = None
    report_to: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", NLIFeatures(self.features))
        object.__setattr__(self, "criterion", NLICriterion(self.criterion))
        object.__setattr__(self, "feature_source", FeatureChoice(self.feature_source))
        check_names(schedule=self.schedule, report_to=self.report_to)
        check_counts(self, "hidden_size", "epochs", "batch_size", "patience")
        check_shares(self, "dropout", "warmup_share", "label_smoothing", "weight_decay")
        check_positive(self, "learning_rate")
        check_choice(self, "class_weights", (BALANCED, None))
        check_choice(self, "feature_dtype", tuple(VECTOR_DTYPES))


_SETTINGS: TypeAdapter[NLITraining] = TypeAdapter(NLITraining)


def nli_settings_to_dict(settings: NLITraining) -> dict[str, Any]:
    """Settings as plain values."""
    return to_plain_values(_SETTINGS, settings)


def nli_settings_from_dict(values: dict[str, Any]) -> NLITraining:
    """Settings from plain values; what is left out has its default.

    Raises:
        ValueError: If a name or a value is none of a run's.
    """
    return from_plain_values(_SETTINGS, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class NLIReport:
    """What a run did.

    Attributes:
        train_pairs: Pairs trained on.
        dev_pairs: Pairs evaluated on.
        rejected: Pairs left out because the encoder cannot read them.
        dev_in_train: Dev pairs that stand in the training data as well.
        class_counts: Training pairs of each label.
        evaluations: One after each epoch: ``loss`` in nats, ``accuracy``, ``macro_f1``.
        best: Which of them the head that was kept comes from, counted from 0.
        train_losses: Steps and training losses, in nats.
        steps: Steps done.
        seconds: Wall time of this call, features included.
        pairs_per_second: Pairs trained on in a second, evaluations included, features left out.
        peak_bytes: Most memory that was held: the process's own, or the accelerator's.
        features: How features were read, in words.
    """

    train_pairs: int
    dev_pairs: int
    rejected: int
    dev_in_train: int
    class_counts: dict[str, int]
    evaluations: list[Evaluation]
    best: int
    train_losses: list[tuple[int, float]]
    steps: int
    seconds: float
    pairs_per_second: float
    peak_bytes: int
    features: str

    @property
    def accuracy(self) -> float:
        """Share of dev pairs that the head that was kept labels right."""
        return self.evaluations[self.best].metrics["accuracy"]

    @property
    def macro_f1(self) -> float:
        """Its mean F1 of the classes on dev."""
        return self.evaluations[self.best].metrics["macro_f1"]
