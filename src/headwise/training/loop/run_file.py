"""The file that says how a head was trained, and that a run can be repeated from."""

from collections.abc import Collection, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headwise.errors import DataError, TrainingError
from headwise.files import atomic_path, naming_output
from headwise.heads.storage.files import RUN_FILE

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
    """

    model_config = ConfigDict(extra="forbid")

    backbone: str | None = None
    dtype: str | None = None
    data: list[str] = Field(default_factory=list)
    dev: list[str] = Field(default_factory=list)
    prompt: dict[str, Any] | str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)

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
            return cls.model_validate(yaml.safe_load(Path(path).read_text("utf-8")) or {})
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}.") from None
        except (yaml.YAMLError, UnicodeDecodeError, ValidationError) as error:
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
    may_differ: Collection[str] = (),
) -> None:
    """Write the run file, unless the folder holds checkpoints of another run.

    ``may_differ`` names what the checkpoints do not depend on, as ``settings.NAME``.

    Raises:
        TrainingError: If it does; the message says what differs.
    """
    path = output / name
    if path.is_file() and checkpoints.is_dir():
        before = _flat(type(run).read(path).model_dump(exclude={"versions"}))
        now = _flat(run.model_dump(exclude={"versions"}))
        # Plain values of both, as YAML keeps them
        compared = (before.keys() | now.keys()) - set(may_differ)
        names = sorted(n for n in compared if before.get(n) != now.get(n))
        if names:
            differences = "; ".join(
                f"{name}: {before.get(name)!r} there, {now.get(name)!r} now" for name in names
            )
            raise TrainingError(
                f"{checkpoints} belongs to a run with other settings ({differences}); name "
                "another output, or delete that folder."
            )
    run.write(path)


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
