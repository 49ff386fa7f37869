"""Where a run's features come from: a cache or the model, and in how many processes."""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, cast

import torch.distributed
from rich.filesize import decimal
from transformers import TrainingArguments

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
from headwise.training.loop.settings import FeatureChoice

logger = logging.getLogger(__name__)
T = TypeVar("T")


class FeatureSettings(Protocol):
    """What settings of a training on features of a language model have in common."""

    @property
    def features(self) -> FeatureChoice:
        """Where features come from."""

    @property
    def feature_dtype(self) -> str:
        """Of cached hidden states."""

    @property
    def max_length(self) -> int | None:
        """Longest example in tokens."""

    @property
    def cut(self) -> bool:
        """Whether a hypothesis that is too long loses its end."""

    @property
    def epochs(self) -> int:
        """Passes over the training pairs at most."""


# Checkpoints and everybody else need some room, too
_SPARE_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes that share a run.

    Attributes:
        number: Of this one, counted from 0.
        count: Of all.
    """

    number: int
    count: int

    @classmethod
    def of(cls, arguments: TrainingArguments) -> "Processes":
        """Those that Transformers found, after it has set up their communication."""
        return cls(arguments.process_index, arguments.world_size)

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.number == 0

    def agreed(self, decide: Callable[[], T]) -> T:
        """What the first process decides, in all of them."""
        decision = [decide() if self.first else None]
        if self.count > 1:
            torch.distributed.broadcast_object_list(decision)
        return cast(T, decision[0])

    def wait(self) -> None:
        """Return when all have called this."""
        if self.count > 1:
            torch.distributed.barrier()


def choose_features(
    backbone: Backbone,
    data: Mapping[str, Sequence[Pair]],
    prompt: PromptTemplate,
    settings: FeatureSettings,
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
        processes: Those that share the run.
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
    settings: FeatureSettings,
    spec: FeatureSpec,
    folder: Path,
) -> FeatureChoice:
    """Decide, and say why."""
    if settings.epochs == 1:
        logger.info("One epoch: features are computed as they are needed.")
        return FeatureChoice.LIVE
    size = sum(estimate_bytes(backbone, pairs, prompt, spec) for pairs in data.values())
    return cache_if_room(size, folder)


def cache_if_room(size: int, folder: Path) -> FeatureChoice:
    """A cache, or the model where the disk has no room for one; say which and why.

    Args:
        size: About how many bytes the features of all data take.
        folder: Of the cache, there or not.
    """
    free = shutil.disk_usage(_existing(folder)).free
    there = sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
    if free < size - there + _SPARE_BYTES:
        logger.warning(
            "Features would take about %s in %s, but only %s are free; the model runs in every "
            "epoch instead.",
            decimal(size),
            folder,
            decimal(free),
        )
        return FeatureChoice.LIVE
    logger.info(
        "Features are computed once and kept in %s, about %s; the folder may be deleted after "
        "training.",
        folder,
        decimal(size),
    )
    return FeatureChoice.CACHE


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    absolute = folder.absolute()
    return next(path for path in (absolute, *absolute.parents) if path.exists())
