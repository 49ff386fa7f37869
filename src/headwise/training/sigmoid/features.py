"""Where a run's features come from: a cache or the model, and in how many processes."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.filesize import decimal

from headwise.backbones import Backbone, PromptTemplate
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
from headwise.training.loop.run import Processes
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
) -> tuple[dict[str, FeatureSource], str]:
    """Features of the parts of the data, from where the settings say.

    Args:
        backbone: The frozen language model.
        data: Pairs by the name of the part.
        prompt: How a pair is laid out.
        settings: Of the run.
        folder: Of the cache; each part has a folder of its own in it.
        candidates: M, how many of the most probable tokens a position gets.
        processes: Those that share the extraction.
        progress: Whether to show a bar on standard error.

    Returns:
        A source for each part, and where they come from in words.
    """
    spec = FeatureSpec(
        dtype=settings.feature_dtype,
        candidates=candidates,
        max_length=settings.max_length,
        cut=settings.cut,
    )
    choice = settings.features
    if choice is FeatureChoice.AUTO:
        choice = processes.agreed(lambda: _choose(backbone, data, prompt, settings, spec, folder))
    if choice is FeatureChoice.LIVE:
        live: dict[str, FeatureSource] = {
            name: LiveFeatures(
                backbone,
                encode_examples(backbone, pairs, prompt, max_length=spec.max_length, cut=spec.cut),
                candidates=candidates,
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


def _choose(
    backbone: Backbone,
    data: Mapping[str, Sequence[Pair]],
    prompt: PromptTemplate,
    settings: SigmoidTraining,
    spec: FeatureSpec,
    folder: Path,
) -> FeatureChoice:
    """Decide, and say why."""
    if settings.epochs == 1:
        logger.info("One epoch: features are computed as they are needed.")
        return FeatureChoice.LIVE
    size = sum(estimate_bytes(backbone, pairs, prompt, spec) for pairs in data.values())
    return cache_if_room(size, folder)
