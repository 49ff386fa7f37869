"""Whose folder the output of a run is: claimed when it begins, finished when all is done."""

from collections.abc import Collection
from pathlib import Path

from headwise.errors import FinishedError, TrainingError
from headwise.heads.storage.files import RUN_FILE, WEIGHTS_FILE
from headwise.plain_values import flattened
from headwise.training.loop.checkpoints import remove_checkpoints
from headwise.training.loop.run_file import TrainingRun


def claim_output(
    output: Path,
    run: TrainingRun,
    *,
    checkpoints: Path,
    name: str = RUN_FILE,
    weights: str = WEIGHTS_FILE,
    may_differ: Collection[str] = (),
    keep_checkpoints: bool = False,
    overwrite: bool = False,
) -> None:
    """Write the run file, unless the folder holds another run, or this one and it is finished.

    Args:
        output: The folder of the head.
        run: What is to be done.
        checkpoints: Their folder. If it is there, what belongs to this run is gone on from.
        name: What the run file is called.
        weights: What the head's own file is called, without which nothing is finished.
        may_differ: What checkpoints do not depend on, as ``settings.NAME``.
        keep_checkpoints: Whether those of a finished run may be read once more.
        overwrite: Whether to begin anew, whatever there is.

    Raises:
        TrainingError: If the folder holds another run; the message says what differs.
        FinishedError: If it holds this one, finished.
        DataError: If its run file is damaged.
    """
    path = output / name
    if overwrite:
        remove_checkpoints(checkpoints)
    elif path.is_file() and (
        (finished := (before := type(run).read(path)).finished and (output / weights).is_file())
        or checkpoints.is_dir()
    ):
        then, now = (
            flattened(one.model_dump(exclude={"versions", "finished"}), between=".")
            for one in (before, run)
        )
        # Plain values of both, as YAML keeps them
        if not before.digests:  # written by a version that did not have them
            now = {name: value for name, value in now.items() if not name.startswith("digests.")}
        names = sorted(n for n in then.keys() | now.keys() if then.get(n) != now.get(n))
        if others := [name for name in names if name not in may_differ]:
            differences = "; ".join(
                f"{name}: {then.get(name)!r} there, {now.get(name)!r} now" for name in others
            )
            raise TrainingError(
                f"{output} belongs to a run with other settings ({differences}); name another "
                "output, or begin anew with --overwrite."
            )
        if finished and not names and not (keep_checkpoints and checkpoints.is_dir()):
            remove_checkpoints(checkpoints)
            raise FinishedError(
                f"{output} holds the head of this very training, which is finished: nothing is "
                "left to do. To train anew, pass --overwrite."
            )
    run.write(path)


def finish_output(
    output: Path, run: TrainingRun, *, checkpoints: Path, name: str, keep_checkpoints: bool
) -> None:
    """Note in the run file that all is done; what only going on would need goes."""
    run.model_copy(update={"finished": True}).write(output / name)
    if not keep_checkpoints:
        remove_checkpoints(checkpoints)
