"""Settings and results of training an abstention head."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter

from headwise.features.vectors import VECTOR_DTYPES
from headwise.heads import ABSTAIN_BY, LEARNED
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


class ErrorLabels(StrEnum):
    """Whose errors the head learns to foresee.

    Attributes:
        OUT_OF_FOLD_PROBABILITY: Those of NLI heads that were trained without the premise: the
            probability that such a head gives to the wrong labels, a finer label than whether the
            one that it prefers is wrong.
        OUT_OF_FOLD: The same as errors and right answers.
        OWN_ERRORS: Those of the NLI head itself on the pairs that it was trained on.
    """

    OUT_OF_FOLD_PROBABILITY = "out_of_fold_probability"
    OUT_OF_FOLD = "out_of_fold"
    OWN_ERRORS = "own_errors"


class Aim(StrEnum):
    """What the threshold is chosen for.

    Attributes:
        COVERAGE: A share of pairs that is answered.
        RISK: A share of errors among the answers, on the pairs at hand.
        GUARANTEE: The same on new pairs, with a probability.
    """

    COVERAGE = "coverage"
    RISK = "risk"
    GUARANTEE = "guarantee"


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstentionTraining:
    """Settings of a run.

    Attributes:
        labels: Whose errors the head learns to foresee.
        folds: K, how many NLI heads are trained, each without one K-th of the premises.
        inner_size: Width of the head's own hidden layer.
        dropout: Share of it that is dropped.
        hidden_dropout: Share of the NLI head's hidden layer that is dropped while training.
        epochs: Passes over the training pairs at most.
        learning_rate: Peak of the schedule.
        schedule: Name of a Transformers schedule.
        warmup_share: Share of the steps in which the learning rate rises.
        batch_size: Pairs in a step.
        weight_decay: AdamW's, of matrices.
        class_weights: ``balanced`` to let errors weigh as much as right answers, or ``None``.
        patience: Epochs without a smaller area under the risk-coverage curve on dev before training
            stops.
        abstain_by: What the threshold is on: ``learned``, ``max_probability``, ``entropy`` or
            ``margin``.
        aim: What the threshold is chosen for.
        level: The coverage or risk that is wanted, in (0, 1).
        confidence: Probability with which a guarantee holds, in (0, 1).
        feature_source: Where vectors come from.
        feature_dtype: Of cached vectors: ``float32``, ``float16`` or ``bfloat16``.
        feature_folder: The cache's place; ``None`` for ``features`` in the output folder.
        report_to: Trackers that Transformers knows.
        seed: Of folds, batches and initial weights.
    """

    # Read by pydantic: a misspelt name in a run file is an error
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    labels: ErrorLabels = ErrorLabels.OUT_OF_FOLD_PROBABILITY
    folds: int = 5
    inner_size: int = 128
    dropout: float = 0.1
    hidden_dropout: float = 0.5
    epochs: int = 10
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup_share: float = 0.1
    batch_size: int = 256
    weight_decay: float = 0.01
    class_weights: str | None = BALANCED
    patience: int = 5
    abstain_by: str = LEARNED
    aim: Aim = Aim.COVERAGE
    level: float = 0.8
    confidence: float = 0.95
    feature_source: FeatureChoice = FeatureChoice.AUTO
    feature_dtype: str = "float32"
    feature_folder: str | None = None
    report_to: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for name, kind in (
            ("labels", ErrorLabels),
            ("aim", Aim),
            ("feature_source", FeatureChoice),
        ):
            object.__setattr__(self, name, kind(getattr(self, name)))
        check_names(schedule=self.schedule, report_to=self.report_to)
        check_counts(self, "inner_size", "epochs", "batch_size", "patience")
        check_shares(self, "dropout", "hidden_dropout", "warmup_share", "weight_decay")
        check_positive(self, "learning_rate")
        check_choice(self, "class_weights", (BALANCED, None))
        check_choice(self, "abstain_by", ABSTAIN_BY)
        check_choice(self, "feature_dtype", tuple(VECTOR_DTYPES))
        if self.folds < 2:
            raise ValueError(f"`folds` must be at least 2, got {self.folds}.")
        for name in ("level", "confidence"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(f"`{name}` must lie in (0, 1), got {getattr(self, name)}.")

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values."""
        return to_plain_values(_SETTINGS, self)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> "AbstentionTraining":
        """Settings from plain values; what is left out has its default.

        Raises:
            ValueError: If a name or a value is none of a run's.
        """
        return from_plain_values(_SETTINGS, values)


_SETTINGS: TypeAdapter[AbstentionTraining] = TypeAdapter(AbstentionTraining)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalQuality:
    """How well an uncertainty tells the NLI head's errors from its right answers.

    Attributes:
        auroc: Probability that an error is more uncertain than a right answer; ``None`` if there
            are no errors or only errors.
        aurc: Area under the risk-coverage curve, lower is better.
        accuracy_at_80: Accuracy of the most certain 80 % of the pairs.
        accuracy_at_90: Accuracy of the most certain 90 %.
    """

    auroc: float | None
    aurc: float
    accuracy_at_80: float
    accuracy_at_90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstentionReport:
    """What a run did.

    Attributes:
        train_pairs: Pairs trained on.
        dev_pairs: Pairs that chose the head.
        calibration_pairs: Pairs that chose the threshold; 0 if dev did.
        rejected: Pairs left out because the encoder cannot read them.
        train_errors: Share of errors among the training labels.
        fold_accuracies: Accuracy of each fold's NLI head on what it did not see; empty without
            folds.
        dev_accuracy: The NLI head's accuracy on dev.
        signals: Each uncertainty on dev, by name.
        threshold: What was chosen.
        threshold_basis: How, in a sentence.
        coverage: Share that is answered under it, of the pairs that chose it.
        answered_accuracy: Accuracy of these answers; ``None`` if there are none.
        evaluations: One after each epoch: ``loss`` in nats, ``aurc`` and ``auroc`` of errors.
        best: Which of them the head that was kept comes from, counted from 0.
        train_losses: Steps and training losses, in nats.
        seconds: Wall time of this call, features included.
        features: How vectors were read, in words.
    """

    train_pairs: int
    dev_pairs: int
    calibration_pairs: int
    rejected: int
    train_errors: float
    fold_accuracies: list[float]
    dev_accuracy: float
    signals: dict[str, SignalQuality]
    threshold: float
    threshold_basis: str
    coverage: float
    answered_accuracy: float | None
    evaluations: list[Evaluation]
    best: int
    train_losses: list[tuple[int, float]]
    seconds: float
    features: str
