"""Settings of training a Sigmoid Head."""

from dataclasses import field
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass as validated

from headwise.choices import HEAD_TYPES, LAST_LAYER, LAYERED_HEAD_TYPES, ONLY_LAST, Shown
from headwise.training.loop import settings as loop
from headwise.training.sigmoid.objective_settings import NegativeSampling, Objective

OBJECTIVE = "Objective"


def _known_head_type(name: str) -> str:
    if name not in HEAD_TYPES:
        raise ValueError(f"must be one of {', '.join(HEAD_TYPES)}")
    return name


def _one_layer(layers: tuple[int, ...] | Literal["auto"]) -> tuple[int, ...] | Literal["auto"]:
    """The layer that g reads; a head's own config has the last before it."""
    if layers == "auto":
        return layers
    read = layers[1:] if len(layers) == 2 and layers[0] == LAST_LAYER else layers
    if len(read) > 1:
        raise ValueError("must be one layer such as 12, or auto")
    return read


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


@validated(frozen=True, slots=True, config=loop.STRICT)
class SigmoidTraining(loop.RunSettings):
    """Settings of a run; the defaults are those of the method, whatever the model's width.

    A ``learning_rate`` of ``None`` is that of :func:`~headwise.training.default_settings`.

    Attributes:
        objective: The loss and its negatives.
    """

    head_type: Annotated[
        str,
        AfterValidator(_known_head_type),
        Field(
            description="new_unembedding_head, rescaling_head, rescaled_unembedding_head, "
            "biased_unembedding_head, contextual_unembedding_head or shared_unembedding_head."
        ),
        Shown(OBJECTIVE, default="by model"),
    ] = "new_unembedding_head"
    context_size: Annotated[
        int,
        Field(ge=1, description="Inner width of a contextual bias."),
        Shown(OBJECTIVE, default="by model"),
    ] = 64
    rank: Annotated[
        int,
        Field(
            ge=0,
            description="Of a shared_unembedding_head's correction of hidden states; 0 for none.",
        ),
        Shown(OBJECTIVE),
    ] = 0
    layers: Annotated[
        loop.Layers,
        AfterValidator(_one_layer),
        Field(
            description="Of the language model that the threshold of a shared_unembedding_head "
            "comes from: 12; 0 is the embedding, -1 the last; auto: the best on dev of a few that "
            "are tried."
        ),
        Shown(OBJECTIVE, default="-1"),
    ] = ONLY_LAST
    initialise: Annotated[
        str,
        Field(description="Start from lm_head, random, or the folder of a head."),
        Shown(OBJECTIVE),
    ] = "lm_head"
    objective: Annotated[Objective, Shown(OBJECTIVE)] = field(default_factory=Objective)
    epochs: loop.Epochs = 3
    learning_rate: Annotated[
        float | None,
        Field(gt=0, description="Peak of the schedule."),
        Shown(loop.LOOP, default="by model"),
    ] = None
    schedule: loop.Schedule = "cosine"
    warmup_share: loop.WarmupShare = 0.05
    batch_tokens: Annotated[
        loop.BatchTokens, Field(description="Padded tokens of a batch, over all processes.")
    ] = 4096
    accumulation: Annotated[int, Field(ge=1, description="Batches a step."), Shown(loop.LOOP)] = 1
    precision: Annotated[
        Literal["float32", "bf16", "fp16"],
        Field(description="Mixed precision in the head."),
        Shown(loop.LOOP),
    ] = "float32"
    row_updates: Annotated[
        RowUpdates, Field(description="Rows of the head that a step updates."), Shown(loop.LOOP)
    ] = RowUpdates.AUTO
    patience: Annotated[
        int, Field(ge=1, description="Evaluations without an improvement."), Shown(loop.LOOP)
    ] = 3
    criterion: Annotated[
        loop.Criterion,
        Field(description="What decides on dev."),
        Shown(loop.LOOP, default="by model"),
    ] = loop.Criterion.LOSS
    evaluate_every: Annotated[
        int | None,
        Field(ge=1, description="Steps between evaluations and checkpoints; by default an epoch."),
        Shown(loop.LOOP),
    ] = None
    features: Annotated[
        loop.FeatureChoice,
        Field(
            description="Hidden states come from a cache on disk, or from the model in every epoch."
        ),
        Shown(loop.FEATURES),
    ] = loop.FeatureChoice.AUTO
    feature_dtype: loop.HiddenStateDtype = "bfloat16"
    feature_folder: loop.FeatureFolder = None
    max_length: loop.MaxLength = None
    cut: Annotated[
        bool,
        Field(description="Longer examples lose their end, or are left out (the default)."),
        Shown(loop.DATA, off="reject"),
    ] = False
    report_to: loop.ReportTo = ()
    seed: Annotated[int, Field(description="Of batches, negatives and initial weights.")] = 0

    def __post_init__(self) -> None:
        if self.layers != ONLY_LAST and self.head_type not in LAYERED_HEAD_TYPES:
            raise ValueError(
                f"A {self.head_type} reads the last layer alone: leave `layers` out, or take the "
                f"head type {' or '.join(LAYERED_HEAD_TYPES)}."
            )


# The published heads belong to hidden states of 2,048 and 4,096 numbers
WIDE = 1024
# Text that a head is trained on in minutes has most of so many tokens never or once
LARGE_VOCABULARY = 65_536

LEARNING_RATE_WIDE, LEARNING_RATE_NARROW = 1e-4, 3e-3


def default_settings(hidden_size: int, vocabulary_size: int = 0) -> SigmoidTraining:
    """Settings for a model of some width and vocabulary.

    Up to 65,535 tokens, the head has an unembedding of its own. From a width of 1,024 on, the
    settings are the published ones; below, they are those that won a comparison on a model of
    width 256: a contextual bias, negatives half from the softmax and half uniform, every token
    above a probability of 0.005 avoided, targets that weigh as much as their negatives together,
    and the head kept that separates dev tokens best. Larger vocabularies are shared with the
    model; there a target weighs as much as one negative, as a comparison on 262,144 tokens has it
    (``docs/ablation.md`` has both).

    Args:
        hidden_size: H.
        vocabulary_size: V; by default not a large one.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680, section 4 (training settings).
    """
    from headwise.functional import EpsilonCut

    shares = vocabulary_size >= LARGE_VOCABULARY
    if hidden_size >= WIDE and not shares:
        return SigmoidTraining(learning_rate=LEARNING_RATE_WIDE)
    return SigmoidTraining(
        head_type="shared_unembedding_head" if shares else "contextual_unembedding_head",
        context_size=256 if shares else 1024,
        objective=Objective(
            negatives=NegativeSampling(frequency=0.0, softmax=0.5, uniform=0.5),
            avoid=EpsilonCut(),
            positive_weight=1.0 if shares else "balance",
        ),
        learning_rate=LEARNING_RATE_NARROW,
        criterion=loop.Criterion.AUROC,
    )


def merged(
    settings: dict[str, Any],
    given: dict[str, Any],
    *,
    full_vocabulary: bool | None = None,
    candidates: int | None = None,
) -> dict[str, Any]:
    """Plain, nested settings of a run file, overridden by those that were given.

    ``full_vocabulary`` makes all tokens negatives; ``candidates`` is the reach of the softmax that
    draws negatives, 0 for all tokens.

    Raises:
        ValueError: If all tokens are to be negatives and yet drawn in a certain way.
    """
    result = loop.overlaid(settings, given)
    objective = result.setdefault("objective", {})
    drawn = given.get("objective", {}).get("negatives", {})
    if candidates is not None:
        drawn = drawn | {"candidates": candidates or None}
    if full_vocabulary and drawn:
        named = ("negatives" if name == "per_position" else name for name in drawn)
        raise ValueError(
            f"Where all tokens are negatives, none are drawn: drop --{', --'.join(named)}."
        )
    if full_vocabulary:
        objective["negatives"] = None
    elif full_vocabulary is False or drawn:
        objective["negatives"] = {**(settings.get("objective", {}).get("negatives") or {}), **drawn}
    return result
