"""Where a run's features come from: a cache or the model, and in how many processes."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.filesize import decimal

from headwise.backbones import Backbone, PromptTemplate
from headwise.choices import ONLY_LAST
from headwise.data.records.pairs import Pair
from headwise.features import (
    FeatureSource,
    FeatureSpec,
    LiveFeatures,
    encode_examples,
    estimate_bytes,
    extract_features,
)
from headwise.training.loop.feature_choice import cache_if_room
from headwise.training.loop.processes import Processes
from headwise.training.loop.settings import FeatureChoice
from headwise.training.sigmoid.settings import SigmoidTraining

logger = logging.getLogger(__name__)


def choose_features(
    backbone: Backbone,
    data: Mapping[str, Sequence[Pair]],
    prompt: PromptTemplate,
    settings: SigmoidTraining,
    *,
    folder: Path,
    candidates: int,
    processes: Processes,
    progress: bool,
    layers: Sequence[int] = ONLY_LAST,
) -> tuple[dict[str, FeatureSource], str]:
    """A source for each part of the data, from where the settings say, and where that is in words.

    A position gets the hidden states of ``layers`` and the ``candidates`` most probable tokens.
    Each part has a folder of its own in that of the cache; processes share the extraction.
    """
    spec = FeatureSpec(
        dtype=settings.feature_dtype,
        candidates=candidates,
        layers=tuple(layers),
        max_length=settings.max_length,
        cut=settings.cut,
    )
    choice = settings.features
    if choice is FeatureChoice.AUTO and settings.epochs == 1:
        logger.info("One epoch: features are computed as they are needed.")
        choice = FeatureChoice.LIVE
    elif choice is FeatureChoice.AUTO:
        # One decides for all: they see the disk at different times
        choice = processes.agreed(
            lambda: cache_if_room(
                sum(estimate_bytes(backbone, pairs, prompt, spec) for pairs in data.values()),
                folder,
            )
        )
    if choice is FeatureChoice.LIVE:
        live: dict[str, FeatureSource] = {
            name: LiveFeatures(
                backbone,
                encode_examples(backbone, pairs, prompt, max_length=spec.max_length, cut=spec.cut),
                candidates=candidates,
                layers=layers,
            )
            for name, pairs in data.items()
        }
        return live, "live, the model runs in every epoch"
    cached = {
        name: extract_features(
            backbone,
            pairs,
            prompt,
            folder / name,
            spec=spec,
            rank=processes.number,
            world_size=processes.count,
            wait=processes.wait,
            progress=progress and processes.first,
        )
        for name, pairs in data.items()
    }
    size = sum(features.bytes for features in cached.values())
    return dict(cached), f"cached once, {decimal(size)} in {spec.dtype}"
