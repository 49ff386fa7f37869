"""Settings and results of a training run."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict

from headwise.heads import HEAD_TYPES, SigmoidHead
from headwise.training.loop_checks import check_choice, check_counts, check_names, check_shares
from headwise.training.objective import Objective


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


class RowUpdates(StrEnum):
    """Which rows of the head a step updates.

    Attributes:
        AUTO: Whatever is faster for the vocabulary and the batch.
        ALL: All of them, by plain Adam.
        TOUCHED: Those of the step's targets and negatives alone.
    """

    AUTO = "auto"
    ALL = "all"
    TOUCHED = "touched"


class Criterion(StrEnum):
    """What decides on dev which head is the best and when to stop.

    Attributes:
        LOSS: The objective itself, the lower the better.
        AUROC: How well scores tell the dev tokens from wrong ones, the higher the better.
    """

    LOSS = "loss"
    AUROC = "auroc"


@dataclass(frozen=True, slots=True)
class SigmoidTraining:
    """Settings of a run; the defaults are those of the method, whatever the model's width.

    Attributes:
        head_type: One of :data:`headwise.heads.HEAD_TYPES`.
        context_size: Inner width of a contextual bias.
        initialise: ``lm_head`` to start from the language model's unembedding, ``random``, or
            the folder of a head.
        objective: The loss.
        epochs: Passes over the training pairs at most.
        learning_rate: Peak of the schedule; ``None`` for that of
            :func:`~headwise.training.default_settings`.
        schedule: Name of a Transformers schedule: ``cosine``, ``linear``, ``constant``, ...
        warmup_share: Share of the steps in which the learning rate rises.
        batch_tokens: Bound on the padded tokens of a batch, over all processes.
        accumulation: Batches whose gradients make one step.
        precision: ``float32``, or ``bf16`` or ``fp16`` for mixed precision in the head.
        row_updates: Which rows of the head a step updates.
        patience: Evaluations without an improvement before training stops.
        criterion: What counts as one.
        evaluate_every: Steps between evaluations, each with a checkpoint; ``None`` for an epoch.
        features: Where features come from.
        feature_dtype: Of cached hidden states: ``bfloat16`` or ``float32``.
        feature_folder: The cache's place; ``None`` for ``features`` beside the checkpoints.
        max_length: Longest example in tokens; ``None`` for the model's own limit.
        cut: Whether a hypothesis that is too long loses its end, instead of being left out.
        report_to: Trackers that Transformers knows: ``tensorboard``, ``wandb``, ...
        seed: Of batches, negatives and initial weights.
    """

    # Read by pydantic: a misspelt name in a run file is an error
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    head_type: str = SigmoidHead.head_type
    context_size: int = 64
    initialise: str = "lm_head"
    objective: Objective = field(default_factory=Objective)
    epochs: int = 3
    learning_rate: float | None = None
    schedule: str = "cosine"
    warmup_share: float = 0.05
    batch_tokens: int = 4096
    accumulation: int = 1
    precision: str = "float32"
    row_updates: RowUpdates = RowUpdates.AUTO
    patience: int = 3
    criterion: Criterion = Criterion.LOSS
    evaluate_every: int | None = None
    features: FeatureChoice = FeatureChoice.AUTO
    feature_dtype: str = "bfloat16"
    feature_folder: str | None = None
    max_length: int | None = None
    cut: bool = False
    report_to: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for name, kind in (
            ("row_updates", RowUpdates),
            ("criterion", Criterion),
            ("features", FeatureChoice),
        ):
            object.__setattr__(self, name, kind(getattr(self, name)))
        check_names(schedule=self.schedule, report_to=self.report_to)
        check_choice(self, "head_type", tuple(HEAD_TYPES))
        if self.precision not in ("float32", "bf16", "fp16"):
            raise ValueError(f"`precision` must be float32, bf16 or fp16, got {self.precision!r}.")
        check_counts(self, "context_size", "epochs", "batch_tokens", "accumulation", "patience")
        for name in ("evaluate_every", "max_length"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f"`{name}` must be at least 1 or None, got {value}.")
        if self.learning_rate is not None and not self.learning_rate > 0.0:
            raise ValueError(f"`learning_rate` must be positive, got {self.learning_rate}.")
        check_shares(self, "warmup_share")


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


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a run did.

    Attributes:
        train_pairs: Pairs trained on.
        dev_pairs: Pairs evaluated on.
        rejected: Pairs left out because they cannot be read.
        dev_in_train: Dev pairs that stand in the training data as well.
        targets: Target tokens an epoch.
        evaluations: One after each epoch, or as often as asked for.
        best: Which of them the head that was kept comes from, counted from 0.
        train_losses: Steps and training losses, in nats.
        steps: Steps done.
        seconds: Wall time of this call, features included.
        tokens_per_second: Target tokens trained on in a second, features left out.
        peak_bytes: Most memory that was held: the process's own, or the accelerator's.
        features: How features were read, in words.
        learning_rate: Peak of the schedule.
        row_updates: Which rows a step updated.
    """

    train_pairs: int
    dev_pairs: int
    rejected: int
    dev_in_train: int
    targets: int
    evaluations: list[Evaluation]
    best: int
    train_losses: list[tuple[int, float]]
    steps: int
    seconds: float
    tokens_per_second: float
    peak_bytes: int
    features: str
    learning_rate: float
    row_updates: str

    @property
    def dev_losses(self) -> list[float]:
        """Dev loss at each evaluation, in nats."""
        return [evaluation.metrics["loss"] for evaluation in self.evaluations]
