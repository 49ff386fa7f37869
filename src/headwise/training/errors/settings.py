"""Settings of training an error head."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, TypeAdapter

from headwise.choices import ErrorVariant
from headwise.corruption import CorruptionMix
from headwise.heads import ErrorHead
from headwise.plain_values import from_plain_values, to_plain_values
from headwise.training.loop.run_file import TrainingRun
from headwise.training.loop.settings import (
    BALANCED,
    Criterion,
    check_choice,
    check_counts,
    check_names,
    check_positive,
    check_shares,
)

# Narrower hidden states are read as they are
WIDE = 1024


# So that a head has a few hundred thousand numbers however wide its model is
_PROJECTED_NUMBERS, _LEAST_RANK = 2**17, 16


class StatisticsChoice(StrEnum):
    """Whether the head also reads log-probability, entropy and rank of each token.

    Attributes:
        OFF: No; then it costs no pass over the vocabulary.
        ON: Yes.
        AUTO: Unless the language model knows the training texts by heart.
    """

    OFF = "off"
    ON = "on"
    AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStage:
    """How a head goes on from texts that people marked.

    Attributes:
        epochs: Passes over the marked texts at most.
        learning_rate: Peak of the schedule.
        weight_decay: AdamW's, of matrices.
        batch_tokens: Bound on the padded tokens of a batch.
        class_weights: ``balanced`` to let wrong tokens weigh as much in all as right ones, or
            ``None``.
        patience: Epochs without an improvement before training stops.
        dev_share: Share of the sources that is held out if there are no marked dev texts.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    epochs: int = 20
    learning_rate: float = 5e-4
    weight_decay: float = 0.01
    batch_tokens: int = 1024
    class_weights: str | None = None
    patience: int = 5
    dev_share: float = 0.2

    def __post_init__(self) -> None:
        check_counts(self, "epochs", "batch_tokens", "patience")
        check_shares(self, "weight_decay", "dev_share")
        check_positive(self, "learning_rate", "dev_share")
        check_choice(self, "class_weights", (BALANCED, None))


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorTraining:
    """Settings of a run.

    Attributes:
        variant: How far the head looks.
        inner_size: Width of its hidden layer.
        rank: Width that hidden states are projected to; ``None`` to read them as they are,
            ``auto`` for 64 at a width of 1,024, and for less the wider they are, 16 at least.
        statistics: Whether it also reads statistics of the vocabulary.
        dropout: Share of its hidden layer that is dropped.
        mix: What errors are put into the texts.
        copies: Copies with errors of every text, which stands once as it is.
        epochs: Passes over the texts at most.
        learning_rate: Peak of the schedule.
        weight_decay: AdamW's, of matrices.
        schedule: Name of a Transformers schedule.
        warmup_share: Share of the steps in which the learning rate rises.
        batch_tokens: Bound on the padded tokens of a batch, prompts included.
        missing_weight: Weight of the loss on gaps against that on tokens; 0 to leave it out.
        class_weights: ``balanced`` to let wrong tokens weigh as much in all as right ones, and
            gaps as much as places where nothing is missing; or ``None``.
        patience: Epochs without an improvement before training stops.
        criterion: What counts as one: the AUROC on dev, averaged over families, or the loss.
        labels: How the head goes on from texts that people marked.
        feature_dtype: Of cached hidden states: ``bfloat16`` or ``float32``.
        feature_folder: The cache's place; ``None`` for ``error_features`` in the output folder.
        max_length: Longest example in tokens; ``None`` for the model's own limit.
        report_to: Trackers that Transformers knows.
        seed: Of errors, batches and initial weights.
    """

    # Read by pydantic: a misspelt name in a run file is an error
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    variant: ErrorVariant = ErrorVariant.HINDSIGHT
    inner_size: int = 128
    rank: int | Literal["auto"] | None = "auto"
    statistics: StatisticsChoice = StatisticsChoice.OFF
    dropout: float = 0.1
    mix: CorruptionMix = field(default_factory=CorruptionMix.default)
    copies: int = 3
    epochs: int = 6
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    schedule: str = "cosine"
    warmup_share: float = 0.1
    batch_tokens: int = 8192
    missing_weight: float = 0.5
    class_weights: str | None = None
    patience: int = 3
    criterion: Criterion = Criterion.AUROC
    labels: LabelStage = LabelStage()
    feature_dtype: str = "bfloat16"
    feature_folder: str | None = None
    max_length: int | None = None
    report_to: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for name, kind in (
            ("variant", ErrorVariant),
            ("statistics", StatisticsChoice),
            ("criterion", Criterion),
        ):
            object.__setattr__(self, name, kind(getattr(self, name)))
        check_names(schedule=self.schedule, report_to=self.report_to)
        check_counts(self, "inner_size", "copies", "epochs", "batch_tokens", "patience")
        check_shares(self, "dropout", "weight_decay", "warmup_share")
        check_positive(self, "learning_rate")
        check_choice(self, "class_weights", (BALANCED, None))
        check_choice(self, "feature_dtype", ("bfloat16", "float32"))
        for name in ("rank", "max_length"):
            value = getattr(self, name)
            if isinstance(value, int) and value < 1:
                raise ValueError(f"`{name}` must be at least 1, got {value}.")
        if not self.missing_weight >= 0.0:
            raise ValueError(f"`missing_weight` must not be negative, got {self.missing_weight}.")

    def rank_for(self, hidden_size: int) -> int | None:
        """R for hidden states of some width."""
        if self.rank == "auto":
            if hidden_size < WIDE:
                return None
            return max(_LEAST_RANK, _PROJECTED_NUMBERS // (2 * hidden_size))
        return self.rank

    def shaped_as(self, head: ErrorHead) -> Self:
        """The same settings with the shape that a head has."""
        return replace(
            self,
            variant=head.variant,
            inner_size=head.inner_size,
            rank=head.rank,
            statistics=StatisticsChoice.ON if head.statistics else StatisticsChoice.OFF,
        )

    def for_labels(self) -> Self:
        """The same settings with the loop of the stage on marked texts."""
        own = self.labels
        return replace(
            self,
            epochs=own.epochs,
            learning_rate=own.learning_rate,
            weight_decay=own.weight_decay,
            batch_tokens=own.batch_tokens,
            class_weights=own.class_weights,
            patience=own.patience,
        )

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values."""
        return to_plain_values(_SETTINGS, self)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> "ErrorTraining":
        """Settings from plain values; what is left out has its default.

        Raises:
            ValueError: If a name or a value is none of a run's.
        """
        return from_plain_values(_SETTINGS, values)


_SETTINGS: TypeAdapter[ErrorTraining] = TypeAdapter(ErrorTraining)


class ErrorRun(TrainingRun):
    """A whole run as plain values.

    Attributes:
        labels: Files of texts that people marked.
        label_dev: The same, held out.
        start: Folder of the error head that it went on from; ``None`` for random weights.
        no_source: Whether the files hold texts on their own.
    """

    labels: list[str] = Field(default_factory=list)
    label_dev: list[str] = Field(default_factory=list)
    start: str | None = None
    no_source: bool = False
