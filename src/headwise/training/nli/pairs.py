"""Labelled pairs as what a run reads: checked, tokenised, their vectors cached or live."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.filesize import decimal

from headwise.backbones import EncoderBackbone
from headwise.choices import NLIFeatures
from headwise.corruption.inferences.lessons import lesson_pairs
from headwise.data.records.inferences import InferencePair
from headwise.errors import TrainingError
from headwise.features.inference_features import (
    EncodedInferences,
    InferenceFeatures,
    cached_inferences,
    encode_inferences,
    inference_bytes,
    live_inferences,
)
from headwise.heads import NLI_LABELS
from headwise.training.loop.feature_choice import cache_if_room
from headwise.training.loop.settings import FeatureChoice
from headwise.training.nli.settings import NLITraining

logger = logging.getLogger(__name__)

_NAMED_REJECTS = 10


@dataclass(frozen=True, slots=True)
class InferenceData:
    """Vectors of each part of the data with their pairs, and where they come from in words.

    Pairs that the encoder cannot read are left out and counted.
    """

    features: dict[str, InferenceFeatures]
    pairs: dict[str, list[InferencePair]]
    rejected: int
    origin: str


def with_lessons(pairs: Sequence[InferencePair], settings: NLITraining) -> Sequence[InferencePair]:
    """Training pairs with the lessons that are made of them behind them."""
    if not settings.lessons:
        return pairs
    made = lesson_pairs(
        pairs,
        settings.lessons,
        share=settings.lesson_share,
        language=settings.lesson_language,
        seed=settings.seed,
    )
    logger.info("Lessons: %d pairs made of %d.", len(made), len(pairs))
    return [*pairs, *made]


def read_inference_data(
    backbone: EncoderBackbone,
    data: Mapping[str, Sequence[InferencePair]],
    features: NLIFeatures,
    *,
    layers: Sequence[int],
    choice: FeatureChoice,
    dtype: str,
    folder: Path,
    progress: bool,
) -> InferenceData:
    """Features of the parts of the data, by name, from where they are wanted.

    ``layers`` are those whose token vectors are read, if any are.

    Raises:
        TrainingError: If a part holds no pair that the encoder can read, or a pair without a
            label, or a label does not occur in ``train``.
        MismatchError: If the folder holds vectors of something else.
        OutputError: If the disk is full.
    """
    codes: dict[str, EncodedInferences] = {}
    kept: dict[str, list[InferencePair]] = {}
    for name, pairs in data.items():
        _check_labels(pairs, name)
        codes[name] = encode_inferences(backbone, pairs, features)
        _name_rejects(pairs, codes[name], name)
        kept[name] = [pairs[i] for i in codes[name].kept.tolist()]
        if not kept[name]:
            place, reason = codes[name].rejected[0]
            raise TrainingError(
                f"The {name} data hold no pair that the encoder can read; of the first (line "
                f"{pairs[place].line or place + 1}): {reason}"
            )
    _check_classes(codes["train"])
    if dtype == "auto":
        dtype = "float16" if features.needs_tokens else "float32"

    def size_in(dtype: str) -> int:
        return sum(
            inference_bytes(backbone, code, features, layers=layers, dtype=dtype)
            for code in codes.values()
        )

    size = size_in(dtype)
    if choice is FeatureChoice.AUTO:
        remedy = f"In float8 they would take {decimal(size_in('float8'))} (--feature-dtype)."
        choice = cache_if_room(size, folder, remedy="" if dtype == "float8" else remedy)
    if choice is FeatureChoice.LIVE:
        made = {
            name: live_inferences(backbone, code, features, layers=layers)
            for name, code in codes.items()
        }
        origin = "live, the encoder runs in every epoch"
    else:
        made = {
            name: cached_inferences(
                backbone,
                code,
                features,
                folder / name,
                layers=layers,
                dtype=dtype,
                progress=progress,
            )
            for name, code in codes.items()
        }
        read = [code for part in codes.values() for code in (*part.texts, *part.pairs)]
        count = sum(map(len, read)) if features.needs_tokens else len(read)
        origin = f"cached once, {count:,} vectors, {decimal(size)} in {dtype}"
    return InferenceData(
        features=made,
        pairs=kept,
        rejected=sum(len(code.rejected) for code in codes.values()),
        origin=origin,
    )


def _check_classes(codes: EncodedInferences) -> None:
    """Refuse training data without one of the labels."""
    counts = torch.bincount(codes.labels, minlength=len(NLI_LABELS)).tolist()
    missing = [str(label) for label, count in zip(NLI_LABELS, counts, strict=True) if not count]
    if missing:
        raise TrainingError(
            f"The training data hold no pair of {' and none of '.join(missing)}; a head needs "
            f"all of {', '.join(NLI_LABELS)}."
        )


def _check_labels(pairs: Sequence[InferencePair], name: str) -> None:
    if not pairs:
        raise TrainingError(f"There are no {name} pairs.")
    without = next((pair for pair in pairs if pair.label is None), None)
    if without is not None:
        place = f"line {without.line}: " if without.line else ""
        raise TrainingError(
            f"A {name} pair has no label ({place}{without.hypothesis[:60]!r}); leave such out."
        )


def _name_rejects(pairs: Sequence[InferencePair], codes: EncodedInferences, name: str) -> None:
    for place, error in codes.rejected[:_NAMED_REJECTS]:
        number = pairs[place].line or place + 1
        logger.warning("%s, line %d left out: %s", name, number, error)
    if (more := len(codes.rejected) - _NAMED_REJECTS) > 0:
        logger.warning("%s: %d more left out.", name, more)
