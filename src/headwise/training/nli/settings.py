"""Settings and results of training an NLI head."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic.dataclasses import dataclass as validated
from pydantic_core import ArgsKwargs

from headwise.choices import LAST_LAYER, Lesson, NLIFeatures, Shown
from headwise.training.loop import settings as loop
from headwise.training.loop.report import RunReport

_HEAD = "Head"


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


# A head that compares tokens has more to learn by heart than one on pooled vectors
_FOR_INTERACTION: Mapping[str, Any] = {
    "hidden_size": 300,
    "dropout": 0.25,
    "input_dropout": 0.25,
    "epochs": 6,
    "batch_size": 128,
    "weight_decay": 0.1,
    "label_smoothing": 0.05,
    "consistency": 1.0,
}


def _default(name: str, usual: float) -> str:
    return f"{usual:g}; {_FOR_INTERACTION[name]:g} for interaction"


@validated(frozen=True, slots=True, kw_only=True, config=loop.STRICT)
class NLITraining(loop.RunSettings):
    """Settings of a run; some have other defaults for heads that compare tokens."""

    features: Annotated[
        NLIFeatures,
        Field(
            description="The head reads the joint first token, the embeddings of both texts, both "
            "of these, or the embeddings and each token beside those that it is aligned with."
        ),
        Shown(_HEAD, name="reads"),
    ] = NLIFeatures.PAIR
    hidden_size: Annotated[
        int,
        Field(ge=1, description="Of its hidden layer."),
        Shown(_HEAD, default=_default("hidden_size", 512)),
    ] = 512
    dropout: Annotated[
        loop.Share,
        Field(description="Share of it that is dropped."),
        Shown(_HEAD, default=_default("dropout", 0.1)),
    ] = 0.1
    input_dropout: Annotated[
        loop.Share,
        Field(description="Share of what it reads that is dropped."),
        Shown(_HEAD, default=_default("input_dropout", 0.0)),
    ] = 0.0
    layers: Annotated[
        tuple[int, ...],
        BeforeValidator(loop.layer_list),
        Field(
            description="Whose token vectors are compared (--reads interaction), as in 0,-1: 0 is "
            "the embedding, -1 the last."
        ),
        Shown(_HEAD, default="0,-1"),
    ] = (0, LAST_LAYER)
    interaction_size: Annotated[
        int, Field(ge=1, description="Width of the comparison of tokens."), Shown(_HEAD)
    ] = 160
    interaction_dropout: Annotated[
        loop.Share, Field(description="Share of it that is dropped."), Shown(_HEAD)
    ] = 0.25
    token_dropout: Annotated[
        loop.Share, Field(description="Share of token vectors that is dropped."), Shown(_HEAD)
    ] = 0.2
    lessons: Annotated[
        tuple[Lesson, ...],
        Field(
            description="Pairs that are made of the training pairs by rules: unrelated, joined, "
            "repeated, conjoined, reversed, negated, number, roles; may be repeated."
        ),
        Shown(loop.DATA, name="lesson"),
    ] = ()
    lesson_share: Annotated[
        float,
        Field(ge=0, description="Pairs of each kind of lesson, as a share of the training pairs."),
        Shown(loop.DATA),
    ] = 0.1
    lesson_language: Annotated[
        Literal["en", "de"],
        Field(description="Language of the texts, for negations, numbers and roles in lessons."),
        Shown(loop.DATA),
    ] = "en"
    epochs: Annotated[loop.Epochs, Shown(loop.LOOP, default=_default("epochs", 6))] = 6
    learning_rate: loop.LearningRate = 1e-3
    schedule: loop.Schedule = "cosine"
    warmup_share: loop.WarmupShare = 0.1
    batch_size: Annotated[loop.BatchSize, Shown(loop.LOOP, default=_default("batch_size", 256))] = (
        256
    )
    weight_decay: Annotated[
        loop.WeightDecay, Shown(loop.LOOP, default=_default("weight_decay", 0.3))
    ] = 0.3
    label_smoothing: Annotated[
        loop.Share,
        Field(description="Share of a label that all classes get."),
        Shown(loop.LOOP, default=_default("label_smoothing", 0.0)),
    ] = 0.0
    consistency: Annotated[
        float,
        Field(
            ge=0,
            description="Read every pair twice, with other units dropped, and let so many times "
            "the divergence of the two be part of the loss (R-Drop).",
        ),
        Shown(loop.LOOP, default=_default("consistency", 0.0)),
    ] = 0.0
    class_weights: Annotated[
        loop.ClassWeights,
        Field(description="Let classes weigh the same in all."),
        Shown(loop.LOOP),
    ] = None
    criterion: Annotated[
        NLICriterion, Field(description="What decides on dev, once an epoch."), Shown(loop.LOOP)
    ] = NLICriterion.LOSS
    patience: loop.PatienceInEpochs = 3
    report_to: loop.ReportTo = ()
    feature_source: loop.VectorChoice = loop.FeatureChoice.AUTO
    feature_dtype: loop.VectorDtype = "auto"
    feature_folder: loop.FeatureFolder = None
    seed: Annotated[int, Field(description="Of batches and initial weights.")] = 0

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_features(cls, given: Any) -> Any:
        """Fill in the defaults of heads that compare tokens."""
        values = given.kwargs if isinstance(given, ArgsKwargs) else given
        if isinstance(values, dict) and values.get("features") == NLIFeatures.INTERACTION:
            return {**_FOR_INTERACTION, **values}
        return given


@dataclass(frozen=True, slots=True, kw_only=True)
class NLIReport(RunReport):
    """What a run did.

    Attributes:
        class_counts: Training pairs of each label, lessons included.
        lesson_counts: How many of them each kind of lesson made.
        pairs_per_second: Pairs trained on in a second, evaluations included, features left out.
    """

    class_counts: dict[str, int]
    lesson_counts: dict[str, int]
    pairs_per_second: float

    @property
    def accuracy(self) -> float:
        """Share of dev pairs that the head that was kept labels right."""
        return self.evaluations[self.best].metrics["accuracy"]

    @property
    def macro_f1(self) -> float:
        """Its mean F1 of the classes on dev."""
        return self.evaluations[self.best].metrics["macro_f1"]
