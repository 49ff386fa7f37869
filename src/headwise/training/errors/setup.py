"""What is found out before an error head is trained: settings, start, the head beside it."""

import logging
from pathlib import Path
from typing import Any

from headwise.bundled import ModelLocation, locate
from headwise.heads import has_error_head, has_sigmoid_head
from headwise.training.errors.run_file import ErrorRun

logger = logging.getLogger(__name__)

FROM_SCRATCH = "none"
_SHAPE = ("variant", "inner_size", "layers", "rank", "statistics")


def folder_to_start_from(
    place: ModelLocation,
    start: str | None,
    run: ErrorRun,
    given: dict[str, Any],
    *,
    alone: bool,
) -> Path | None:
    """Folder of the error head to go on from; ``None`` for random weights.

    Raises:
        ValueError: If there is no such head, none was named and labels are all there is, or the
            shape that a head has is given as well.
    """
    if start is None:
        # A run file that says `start: null` is that of a run that began with random weights
        start = run.start or (FROM_SCRATCH if "start" in run.model_fields_set else None)
    if start == FROM_SCRATCH:
        return None
    if start is not None:
        folder = locate(place.backbone, start).head
        if folder is None or not has_error_head(folder):
            raise ValueError(f"--start: {folder} has no error head.")
    elif not alone:
        return None
    elif (folder := place.head) is None or not has_error_head(folder):
        raise ValueError(
            "With --labels alone, an error head to start from is needed: give --start FOLDER, "
            f"--start {FROM_SCRATCH} to start from random weights, or --data and --dev."
        )
    if named := [f"--{name.replace('_', '-')}" for name in _SHAPE if name in given]:
        raise ValueError(f"The head to start from has a shape of its own; drop {', '.join(named)}.")
    return folder


def folder_with_sigmoid_head(
    place: ModelLocation, output: Path, with_head: str | None
) -> Path | None:
    """Folder of the Sigmoid Head to stand beside; ``None`` if there is none.

    Raises:
        ValueError: If the folder that was named has none.
    """
    given = None if with_head is None else locate(place.backbone, with_head).head
    if given is not None and not has_sigmoid_head(given):
        raise ValueError(f"--with-head: {given} has no Sigmoid Head.")
    if not has_sigmoid_head(output):
        return given
    if given is not None:
        logger.info("%s has a Sigmoid Head, which stays: --with-head copies none.", output)
    return output
