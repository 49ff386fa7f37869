"""The file that says how a head was trained, and that a run can be repeated from."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headwise.documents import read_yaml
from headwise.errors import DataError
from headwise.files import atomic_path, naming_output

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

        Args:
            path: A YAML file that :meth:`write` left.

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
        """Write a run file.

        Args:
            path: The YAML file to write.
        """
        text = yaml.safe_dump(self.model_dump(), sort_keys=False, allow_unicode=True)
        with naming_output(path), atomic_path(path) as temporary:
            temporary.write_text(text, "utf-8")
