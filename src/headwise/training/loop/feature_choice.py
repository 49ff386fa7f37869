"""Whether features go to a cache: if the disk has room for one."""

import logging
import shutil
from pathlib import Path

from rich.filesize import decimal

from headwise.training.loop.settings import FeatureChoice

logger = logging.getLogger(__name__)

# Checkpoints and everybody else need some room, too
_SPARE_BYTES = 2**30


def cache_if_room(size: int, folder: Path, *, remedy: str = "") -> FeatureChoice:
    """A cache, or the model where the disk has no room for ``size`` bytes; say which and why.

    ``remedy`` is a sentence on what would take less room.
    """
    free = shutil.disk_usage(_existing(folder)).free
    there = sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
    if free < size - there + _SPARE_BYTES:
        logger.warning(
            "Features would take about %s in %s, but only %s are free; the model runs in every "
            "epoch instead.%s",
            decimal(size),
            folder,
            decimal(free),
            f" {remedy}" if remedy else "",
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
