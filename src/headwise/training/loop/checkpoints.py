"""Checkpoints on disk: one gets its name when it is whole, and only whole ones are gone on from.

Beside its other files, a whole checkpoint has a list of them with their digests.
"""

import json
import logging
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from transformers.trainer import TRAINER_STATE_NAME

from headwise.documents import read_json
from headwise.errors import DataError
from headwise.features.shards import file_digest
from headwise.files import remove_folder

logger = logging.getLogger(__name__)

# Where Trainer writes, until all of it is written
UNFINISHED = "unfinished"
_LIST = "files.json"


def checkpoint_path(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step stands, by the name that Trainer gives it."""
    return folder / f"checkpoint-{step}"


def finish_checkpoint(folder: Path, step: int) -> Path:
    """List the files of a checkpoint that Trainer has written, and give it its place."""
    place = checkpoint_path(folder, step)
    written = folder / UNFINISHED / place.name
    files = [path for path in sorted(written.rglob("*")) if path.is_file()]
    digests = {path.relative_to(written).as_posix(): file_digest(path) for path in files}
    (written / _LIST).write_text(json.dumps(digests, indent=1), "utf-8")
    for path in (*files, written / _LIST):
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
    written.rename(place)
    written.parent.rmdir()
    return place


def drop_unfinished(folder: Path) -> None:
    """Remove what a run left that was stopped while it wrote or removed a checkpoint."""
    for path in (folder / UNFINISHED, *folder.glob("checkpoint-*.tmp")):
        shutil.rmtree(path, ignore_errors=True)


def newest_whole(folder: Path) -> Path | None:
    """The newest checkpoint that a run can go on from; newer ones are named and removed."""
    drop_unfinished(folder)
    for path in sorted(_checkpoints(folder), key=_step, reverse=True):
        fault = _fault(path) or _fault_of_best(path)
        if fault is None:
            return path
        logger.warning("%s cannot be gone on from, and is removed: %s.", path, fault)
        remove_folder(path)
    return None


def remove_checkpoints(folder: Path, *, but: Collection[Path] = ()) -> None:
    """Remove checkpoints, those of a run's stages in folders of their own included.

    What else there is, such as the logs of trackers, stays.
    """
    for path in [*_checkpoints(folder, "**/")]:
        if path not in but:
            remove_folder(path)
    if but:
        return
    for path in [folder, *folder.glob("*/")]:
        drop_unfinished(path)
    for path in [*folder.glob("*/"), folder]:
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _checkpoints(folder: Path, where: str = "") -> Iterator[Path]:
    found = folder.glob(f"{where}checkpoint-*")
    return (path for path in found if path.is_dir() and path.name[11:].isdecimal())


def _step(path: Path) -> int:
    return int(path.name.rpartition("-")[2])


def _fault(path: Path) -> str | None:
    """What keeps a checkpoint from being whole; ``None`` if nothing does."""
    try:
        listed = read_json(path / _LIST)
        state = read_json(path / TRAINER_STATE_NAME, allow_nan=True)
    except FileNotFoundError as error:
        return f"it has no {Path(error.filename).name}"
    except DataError as error:
        return str(error).removesuffix(".")
    if not isinstance(listed, dict) or TRAINER_STATE_NAME not in listed:
        return f"its {_LIST} lists no files"
    for name, digest in listed.items():
        if not (path / name).is_file():
            return f"it has no {name}"
        if file_digest(path / name) != digest:
            return f"{name} is damaged"
    if state.get("global_step") != _step(path):
        return f"it was written after step {state.get('global_step')}"
    return None


def _fault_of_best(path: Path) -> str | None:
    """What is wrong with the best weights before a whole checkpoint, which a run would end with."""
    state: dict[str, Any] = read_json(path / TRAINER_STATE_NAME, allow_nan=True)
    step = state.get("best_global_step")
    if step is None or step == _step(path):
        return None
    best = checkpoint_path(path.parent, step)
    fault = _fault(best) if best.is_dir() else "it is gone"
    return None if fault is None else f"the best one before it was {best.name}, and {fault}"
