"""The file that says how a head was trained, and that a run can be repeated from."""

from collections.abc import Collection, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headwise.documents import read_yaml
from headwise.errors import DataError, FinishedError, TrainingError
from headwise.files import atomic_path, naming_output
from headwise.heads.storage.files import RUN_FILE, WEIGHTS_FILE
from headwise.plain_values import flattened
from headwise.training.loop.checkpoints import remove_checkpoints

if TYPE_CHECKING:
    import torch

    from headwise.backbones import PromptTemplate

_PACKAGES = ("headwise", "torch", "transformers")


class TrainingRun(BaseModel):
    """A whole run as plain values.

    Attributes:
        backbone: Name, folder or hub id of the language model.
        dtype: Floating point type that it ran in.
        data: Training files.
        dev: Dev files.
        prompt: The prompt template in its saved form, or the name of one.
        settings: Those of the training, nested; selectors stand as texts.
        versions: Of the packages that the run was made with.
        digests: Of the data and weights that stand behind the names; none in older files.
        finished: Whether all of it is done, and the head stands beside this file.
    """

    model_config = ConfigDict(extra="forbid")

    backbone: str | None = None
    dtype: str | None = None
    data: list[str] = Field(default_factory=list)
    dev: list[str] = Field(default_factory=list)
    prompt: dict[str, Any] | str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    digests: dict[str, str] = Field(default_factory=dict)
    finished: bool = False

    @classmethod
    def of(
        cls,
        backbone: str | None,
        prompt: "PromptTemplate | None",
        settings: dict[str, Any],
        *,
        data: Sequence[str],
        dev: Sequence[str],
        dtype: "torch.dtype | None" = None,
        **own: Any,
    ) -> Self:
        """The record of a run with the versions of today.

        Args:
            backbone: Name of the language model or encoder.
            prompt: How a pair is laid out; ``None`` for an encoder.
            settings: As plain values.
            data: Training files.
            dev: Dev files.
            dtype: Of the backbone.
            own: What only runs of this kind have.
        """
        return cls(
            backbone=backbone,
            dtype=None if dtype is None else str(dtype).removeprefix("torch."),
            data=list(data),
            dev=list(dev),
            prompt=None if prompt is None else prompt.model_dump(),
            settings=settings,
            versions={name: version(name) for name in _PACKAGES},
            **own,
        )

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a run file.

        Raises:
            DataError: If it is missing, is not YAML, or is not a run.
        """
        try:
            return cls.model_validate(read_yaml(Path(path)) or {})
        except FileNotFoundError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}.") from None
        except (DataError, ValidationError) as error:
            raise DataError(f"{path} is not a run file: {error}") from None

    def write(self, path: Path) -> None:
        """Write a run file."""
        text = yaml.safe_dump(self.model_dump(), sort_keys=False, allow_unicode=True)
        with naming_output(path), atomic_path(path) as temporary:
            temporary.write_text(text, "utf-8")


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
