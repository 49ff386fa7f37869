"""Settings and results of training an abstention head."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass as validated

from headwise.choices import Shown
from headwise.training.loop import settings as loop
from headwise.training.loop.report import RunReport

LABELS, THRESHOLD, _HEAD = "Labels", "Threshold", "Head"
# A share of pairs or errors, or a probability
_Level = Annotated[float, Field(gt=0, lt=1)]


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


class AbstentionTarget(StrEnum):
    """What the threshold is chosen for.

    Attributes:
        COVERAGE: A share of pairs that is answered.
        RISK: A share of errors among the answers, on the pairs at hand.
        GUARANTEE: The same on new pairs, with a probability.
    """

    COVERAGE = "coverage"
    RISK = "risk"
    GUARANTEE = "guarantee"


@validated(frozen=True, slots=True, kw_only=True, config=loop.STRICT)
class AbstentionTraining(loop.RunSettings):
    """Settings of a run.

    ``class_weights`` says whether errors weigh as much as right answers; ``aim`` and ``level`` say
    what the threshold is chosen for, and which coverage or risk is wanted.
    """

    labels: Annotated[
        ErrorLabels,
        Field(
            description="Learn from the probability of an error under heads that did not see the "
            "premise, from their errors, or from those of the head itself on its own training data."
        ),
        Shown(LABELS),
    ] = ErrorLabels.OUT_OF_FOLD_PROBABILITY
    folds: Annotated[
        int,
        Field(ge=2, description="How many such heads, each without one part of the premises."),
        Shown(LABELS),
    ] = 5
    second: Annotated[
        bool,
        Field(
            description="Train a second NLI head from another start, unless there is one; answer "
            "by the mean of both, and read where they disagree."
        ),
        Shown(_HEAD),
    ] = False
    reads_hidden: Annotated[
        bool,
        Field(
            description="Read the NLI head's hidden layer, beside its logits and what it aligned."
        ),
        Shown(_HEAD),
    ] = True
    corrects_odds: Annotated[
        bool,
        Field(
            description="Start from the odds that the NLI head's own probability gives, and learn "
            "a correction; without, as the seed did."
        ),
        Shown(_HEAD),
    ] = True
    inner_size: Annotated[
        int, Field(ge=1, description="Of the head's own hidden layer."), Shown(_HEAD)
    ] = 128
    dropout: Annotated[
        loop.Share, Field(description="Share of it that is dropped."), Shown(_HEAD)
    ] = 0.1
    hidden_dropout: Annotated[
        loop.Share,
        Field(description="Share of the NLI head's hidden layer that is dropped in training."),
        Shown(_HEAD),
    ] = 0.5
    epochs: loop.Epochs = 10
    learning_rate: loop.LearningRate = 1e-3
    schedule: loop.Schedule = "cosine"
    warmup_share: loop.WarmupShare = 0.1
    batch_size: loop.BatchSize = 256
    weight_decay: loop.WeightDecay = 0.01
    class_weights: Annotated[loop.ClassWeights, Shown(hidden=True)] = loop.BALANCED
    patience: loop.PatienceInEpochs = 5
    abstain_by: Annotated[
        Literal["learned", "max_probability", "entropy", "margin"],
        Field(description="What the threshold is on."),
        Shown(THRESHOLD),
    ] = "learned"
    aim: Annotated[AbstentionTarget, Shown(hidden=True)] = AbstentionTarget.COVERAGE
    level: Annotated[_Level, Shown(hidden=True)] = 0.8
    confidence: Annotated[
        _Level, Field(description="Probability that a guarantee holds."), Shown(THRESHOLD)
    ] = 0.95
    feature_source: loop.VectorChoice = loop.FeatureChoice.AUTO
    feature_dtype: loop.VectorDtype = "auto"
    feature_folder: loop.FeatureFolder = None
    report_to: loop.ReportTo = ()
    seed: Annotated[int, Field(description="Of folds, batches and initial weights.")] = 0


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
class AbstentionReport(RunReport):
    """What a run did.

    Attributes:
        calibration_pairs: Pairs that chose the threshold; 0 if dev did.
        train_errors: Share of errors among the training labels.
        fold_accuracies: Accuracy of each fold's NLI head on what it did not see; empty without
            folds.
        dev_accuracy: The NLI head's accuracy on dev.
        signals: Each uncertainty on dev, by name.
        threshold: What was chosen.
        threshold_basis: How, in a sentence.
        coverage: Share that is answered under it, of the pairs that chose it.
        answered_accuracy: Accuracy of these answers; ``None`` if there are none.
    """

    calibration_pairs: int
    train_errors: float
    fold_accuracies: list[float]
    dev_accuracy: float
    signals: dict[str, SignalQuality]
    threshold: float
    threshold_basis: str
    coverage: float
    answered_accuracy: float | None
