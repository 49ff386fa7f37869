"""What is written down about a job: what its output follows from, and what came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from headwise.documents import read_json
from headwise.errors import OutputError
from headwise.files import atomic_path
from headwise.plain_values import flattened

START_ANEW = "pass --overwrite to start anew, or choose another output"

_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDone:
    """What a job did.

    Attributes:
        written: Rows in the output, those of earlier runs included.
        rejected: Rows that could not be worked on, those of earlier runs included.
        resumed_from: Rows that earlier runs had done, those that were rejected among them.
        seconds: How long this run took.
        already_complete: Whether there was nothing left to do.
        figures: What the work has to say about all rows of the output.
    """

    written: int
    rejected: int
    resumed_from: int
    seconds: float
    already_complete: bool = False
    figures: Mapping[str, Any] = field(default_factory=dict)


class Figures(BaseModel):
    """What a work says about all rows of the output: numbers, tables of numbers, a warning."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")
    __pydantic_extra__: dict[str, int | float | dict[str, int] | None] = Field(init=False)

    warning: str | None = None


class JobResult(BaseModel):
    """What came of a complete job.

    Attributes:
        written: Rows in the output.
        rejected: Rows in the rejects.
        figures: What the work says about the rows of the output.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    written: int = Field(ge=0)
    rejected: int = Field(ge=0)
    figures: Figures


class JobRecord(BaseModel):
    """The settings of a job, and its result once it is complete.

    Attributes:
        version: Of this record; before the second one, nothing was said of contents.
        settings: What the output follows from. A part of them may be a mapping again.
        result: A :class:`JobResult`; ``None`` while there is something left to do.
        stream: Digest of the rows of a job that read a stream, known when it is complete.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    version: int = 1
    complete: bool
    settings: dict[str, Any]
    result: dict[str, Any] | None
    stream: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.complete != (self.result is not None):
            raise ValueError("A complete job has a result, and no other one has.")
        if self.version == _VERSION and self.result is not None:
            JobResult.model_validate(self.result)
        return self

    @classmethod
    def of(
        cls,
        settings: Mapping[str, Any],
        *,
        result: Mapping[str, Any] | None = None,
        stream: str | None = None,
    ) -> Self:
        """The record of a job with these settings; with a result it is complete."""
        return cls(
            version=_VERSION,
            complete=result is not None,
            settings=_as_read_back(settings),
            result=None if result is None else _as_read_back(result),
            stream=stream,
        )

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read a record; ``None`` if there is none.

        Raises:
            OutputError: If the file cannot be read, or holds something else.
        """
        try:
            return cls.model_validate(read_json(path, allow_nan=True))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OutputError(f"`{path}` cannot be read: {error.strerror or error}.") from error
        except ValueError:  # pydantic's own are such
            raise OutputError(
                f"`{path}` does not describe a job; remove it or choose another output."
            ) from None

    def write(self, path: Path) -> None:
        """Write the record as a whole, or not at all."""
        text = json.dumps(self.model_dump(), indent=2, ensure_ascii=False) + "\n"
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def refuse_other(self, wanted: "JobRecord", *, output: Path, path: Path) -> None:
        """Refuse to go on with a job that is not the wanted one.

        Raises:
            OutputError: If a setting differs; it names all that do, with both values.
        """
        if self.version != _VERSION:
            raise OutputError(
                f"`{path}` is of another version of headwise, which did not note all that the "
                "output follows from (weights, prompt, dtype, content of the input), so that "
                f"nobody can tell whether this is the same job; {START_ANEW}, or finish it with "
                "that version."
            )
        stored, asked = flattened(self.settings), flattened(wanted.settings)
        names = [name for name in {**asked, **stored} if stored.get(name) != asked.get(name)]
        if "dtype" in names:  # other weights follow from it, whatever their file holds
            names = [name for name in names if name != "model weights"]
        if names:
            differences = ", ".join(
                f"`{name}` was {stored.get(name)!r:.200} and is {asked.get(name)!r:.200}"
                for name in names
            )
            raise OutputError(
                f"`{output}` belongs to a job with other settings: {differences}; {START_ANEW}, "
                "or give the old settings to go on with it."
            )


def _as_read_back(values: Mapping[str, Any]) -> dict[str, Any]:
    # Names of files need not be Unicode, but what is written has to be
    text = json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")
    plain: dict[str, Any] = json.loads(text)
    return plain
