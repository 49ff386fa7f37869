"""Settings of training an error head."""

from dataclasses import field, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field
from pydantic.dataclasses import dataclass as validated

from headwise.choices import ONLY_LAST, ErrorVariant, Shown
from headwise.corruption import CorruptionMix
from headwise.training.loop import settings as loop

if TYPE_CHECKING:
    from headwise.heads import ErrorHead

HEAD, ERRORS, LABELS = "Head", "Errors that are put in", "Labels"

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


_Weights = Annotated[
    loop.ClassWeights,
    Field(
        description="Let wrong tokens weigh as much in all as right ones, and gaps as much as "
        "places where nothing is missing."
    ),
]


@validated(frozen=True, slots=True, kw_only=True, config=loop.STRICT)
class LabelStage:
    """How a head goes on from texts that people marked."""

    epochs: Annotated[int, Field(ge=1, description="Passes over --labels at most.")] = 20
    learning_rate: Annotated[float, Field(gt=0, description="Peak of its schedule.")] = 5e-4
    weight_decay: Annotated[loop.Share, Field(description="AdamW's, of matrices.")] = 0.01
    batch_tokens: Annotated[int, Field(ge=1, description="Padded tokens of a batch.")] = 1024
    class_weights: _Weights = None
    patience: Annotated[int, Field(ge=1, description="Epochs without an improvement.")] = 5
    dev_share: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="Share of the sources that is held out if there are no marked dev texts.",
        ),
    ] = 0.2


@validated(frozen=True, slots=True, kw_only=True, config=loop.STRICT)
class ErrorTraining(loop.RunSettings):
    """Settings of a run; ``mix`` says what errors are put into the texts.

    Attributes:
        labels: Settings of the stage on human labels.
    """

    variant: Annotated[
        ErrorVariant,
        Field(description="Look no further than the token, or also at the next one and the end."),
        Shown(HEAD),
    ] = ErrorVariant.HINDSIGHT
    inner_size: Annotated[int, Field(ge=1, description="Of its hidden layer."), Shown(HEAD)] = 128
    layers: Annotated[
        loop.Layers,
        Field(
            description="Of the language model that the head reads: 12, or 4,12 side by side; 0 is "
            "the embedding, -1 the last; auto: the best on dev of a few that are tried."
        ),
        Shown(HEAD, default="-1"),
    ] = ONLY_LAST
    rank: Annotated[
        Annotated[int, Field(ge=1)] | Literal["auto"] | None,
        Field(
            description="Width that hidden states are projected to; auto: none below a width of "
            "1,024, 64 there, and less the wider the model is, 16 at least."
        ),
        Shown(HEAD),
    ] = "auto"
    statistics: Annotated[
        StatisticsChoice,
        Field(
            description="Read log-probability, entropy and rank as well; auto: unless the model "
            "knows the training texts by heart. Scoring then costs the vocabulary."
        ),
        Shown(HEAD),
    ] = StatisticsChoice.OFF
    dropout: Annotated[
        loop.Share, Field(description="Share of the hidden layer that is dropped."), Shown(HEAD)
    ] = 0.1
    mix: Annotated[CorruptionMix, Shown(hidden=True)] = field(default_factory=CorruptionMix.default)
    copies: Annotated[int, Field(ge=1, description="Of each text, with errors."), Shown(ERRORS)] = 3
    sampled: Annotated[
        int,
        Field(
            ge=0,
            description="Translations of each source that the language model draws itself, as "
            "texts with a machine's errors; dev has one of each source.",
        ),
        Shown(ERRORS),
    ] = 0
    sample_temperature: Annotated[
        float, Field(gt=0, description="Of these draws."), Shown(ERRORS)
    ] = 1.0
    epochs: loop.Epochs = 6
    learning_rate: loop.LearningRate = 2e-3
    weight_decay: loop.WeightDecay = 0.01
    schedule: loop.Schedule = "cosine"
    warmup_share: loop.WarmupShare = 0.1
    batch_tokens: loop.BatchTokens = 8192
    missing_weight: Annotated[
        float,
        Field(ge=0, description="Weight of the loss on gaps against that on tokens."),
        Shown(loop.LOOP),
    ] = 0.5
    class_weights: Annotated[_Weights, Shown(loop.LOOP)] = None
    patience: loop.PatienceInEpochs = 3
    criterion: Annotated[
        loop.Criterion,
        Field(description="What decides on dev; the AUROC is averaged over families."),
        Shown(loop.LOOP),
    ] = loop.Criterion.AUROC
    labels: Annotated[LabelStage, Shown(LABELS, prefix="label-")] = LabelStage()
    feature_dtype: loop.HiddenStateDtype = "bfloat16"
    feature_folder: Annotated[
        loop.FeatureFolder,
        Field(description="Of the cache; by default OUTPUT/error_features."),
        Shown(loop.FEATURES),
    ] = None
    max_length: loop.MaxLength = None
    report_to: loop.ReportTo = ()
    seed: Annotated[int, Field(description="Of errors, batches and initial weights.")] = 0

    def rank_for(self, hidden_size: int) -> int | None:
        """R for hidden states of some width.

        Args:
            hidden_size: H of the language model.
        """
        if self.rank == "auto":
            if hidden_size < WIDE:
                return None
            return max(_LEAST_RANK, _PROJECTED_NUMBERS // (2 * hidden_size))
        return self.rank

    def shaped_as(self, head: "ErrorHead") -> Self:
        """The same settings with the shape that a head has.

        Args:
            head: The head that training goes on from.
        """
        return replace(
            self,
            variant=head.variant,
            inner_size=head.inner_size,
            layers=head.layers,
            rank=head.rank,
            statistics=StatisticsChoice.ON if head.statistics else StatisticsChoice.OFF,
        )

    def for_labels(self) -> Self:
        """The same settings with the loop of the stage on marked texts."""
        own = {one.name: getattr(self.labels, one.name) for one in fields(self.labels)}
        del own["dev_share"]
        return replace(self, **own)
