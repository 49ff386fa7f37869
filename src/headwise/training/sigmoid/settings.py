"""Settings and results of a training run."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter

from headwise.functional import EpsilonCut
from headwise.heads import HEAD_TYPES, ContextualSigmoidHead, SigmoidHead
from headwise.plain_values import from_plain_values, to_plain_values
from headwise.training.loop.run_file import given_values, overlaid
from headwise.training.loop.settings import (
    Criterion,
    Evaluation,
    FeatureChoice,
    check_choice,
    check_counts,
    check_names,
    check_shares,
)
from headwise.training.sigmoid.negatives import NegativeSampling
from headwise.training.sigmoid.objective import Objective
from headwise.training.sigmoid.selectors import format_selector, parse_selector


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


# The published heads belong to hidden states of 2,048 and 4,096 numbers
WIDE = 1024


LEARNING_RATE_WIDE, LEARNING_RATE_NARROW = 1e-4, 3e-3


def default_settings(hidden_size: int) -> SigmoidTraining:
    """Settings for a model of some width.

    From 1,024 on, they are the published ones. Below, they are those that won a comparison on a
    model of width 256 (``docs/ablation.md``): a contextual bias, negatives half from the softmax
    and half uniform, every token above a probability of 0.005 avoided, targets that weigh as much
    as their negatives together, and the head kept that separates dev tokens best.

    Args:
        hidden_size: H.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680, section 4 (training settings).
    """
    if hidden_size >= WIDE:
        return SigmoidTraining(learning_rate=LEARNING_RATE_WIDE)
    return SigmoidTraining(
        head_type=ContextualSigmoidHead.head_type,
        context_size=1024,
        objective=Objective(
            negatives=NegativeSampling(frequency=0.0, softmax=0.5, uniform=0.5),
            avoid=EpsilonCut(),
            positive_weight="balance",
        ),
        learning_rate=LEARNING_RATE_NARROW,
        criterion=Criterion.AUROC,
    )


_SETTINGS: TypeAdapter[SigmoidTraining] = TypeAdapter(SigmoidTraining)


def settings_to_dict(settings: SigmoidTraining) -> dict[str, Any]:
    """Settings as plain values, nested."""
    values = to_plain_values(_SETTINGS, settings)
    values["objective"]["avoid"] = format_selector(settings.objective.avoid)
    return values


def settings_from_dict(values: dict[str, Any]) -> SigmoidTraining:
    """Settings from plain values; what is left out has its default.

    Raises:
        ValueError: If a name or a value is none of a run's.
    """
    values = dict(values)
    objective = dict(values.get("objective") or {})
    if isinstance(avoid := objective.get("avoid"), str):
        objective["avoid"] = parse_selector(avoid)
    values["objective"] = objective
    return from_plain_values(_SETTINGS, values)


def merged(
    settings: dict[str, Any],
    given: dict[str, Any],
    *,
    full_vocabulary: bool | None = None,
    candidates: int | None = None,
) -> dict[str, Any]:
    """Settings of a run file, overridden by those that were given.

    Args:
        settings: Plain values, nested, as :func:`settings_to_dict` makes them.
        given: The same with ``None`` for what was not given.
        full_vocabulary: Whether all tokens are negatives, if given.
        candidates: Reach of the softmax that draws negatives, if given; 0 for all tokens.

    Raises:
        ValueError: If all tokens are to be negatives and yet drawn in a certain way.
    """
    given = given_values(given)
    result = overlaid(settings, given)
    objective = result.setdefault("objective", {})
    drawn = given.get("objective", {}).get("negatives", {})
    if candidates is not None:
        drawn = drawn | {"candidates": candidates or None}
    if full_vocabulary and drawn:
        raise ValueError(
            f"Where all tokens are negatives, none are drawn: drop {', '.join(drawn)}."
        )
    if full_vocabulary:
        objective["negatives"] = None
    elif full_vocabulary is False or drawn:
        objective["negatives"] = {**(settings.get("objective", {}).get("negatives") or {}), **drawn}
    return result
