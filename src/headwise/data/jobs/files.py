"""The files of a resumable job, and whether what they hold belongs to the job that is asked for."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from headwise.data.writers import LineFile
from headwise.errors import DataError, OutputError
from headwise.files import atomic_path

START_ANEW = "pass --overwrite to start anew, or choose another output"


class OutputFormat(StrEnum):
    """A file format that results can be written in."""

    JSONL = "jsonl"
    TSV = "tsv"
    PARQUET = "parquet"

    @classmethod
    def of(cls, output: Path, chosen: str | None) -> Self:
        """The format that was chosen, else the one that the suffix of the output says.

        Raises:
            DataError: If it is not one of these.
        """
        name = output.suffix.lower().removeprefix(".") if chosen is None else chosen
        try:
            return cls({"ndjson": "jsonl", "pq": "parquet", "tab": "tsv"}.get(name, name))
        except ValueError:
            raise DataError(
                f"The output format must be one of {', '.join(cls)}, got {name!r} (`{output}`); "
                "use one as suffix, or set `output_format`."
            ) from None


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The output of a job and the files beside it.

    For an output ``scored.jsonl`` these are ``scored.rejects.jsonl`` (rows that could not be
    scored) and ``scored.run.json`` (the settings of the job, and whether it is complete). For
    ``scored.tsv`` they are ``scored.tsv.rejects.jsonl`` and ``scored.tsv.run.json``, so that
    several formats have room side by side, and ``scored.tsv.partial.jsonl`` while the job is not
    complete: only JSONL is appended to directly, the other formats are made of the partial file
    at the end, when all columns and their types are known.

    Attributes:
        output: What the user asked for.
        format: Its format.
    """

    output: Path
    format: OutputFormat

    @classmethod
    def of(cls, output: str | Path, chosen: str | None = None) -> Self:
        """The files of an output, in the format that was chosen or that its suffix says.

        Raises:
            DataError: If that is no format.
        """
        return cls(Path(output), OutputFormat.of(Path(output), chosen))

    @property
    def work(self) -> Path:
        """The file that rows are appended to."""
        return self.output if self.format is OutputFormat.JSONL else self._beside(".partial.jsonl")

    @property
    def rejects(self) -> Path:
        """The file for rows that cannot be scored; there is none if there are no such rows."""
        return self._beside(".rejects.jsonl")

    @property
    def sidecar(self) -> Path:
        """The file with the settings."""
        return self._beside(".run.json")

    def check(self, settings: Mapping[str, Any], *, overwrite: bool) -> dict[str, Any] | None:
        """See whether the files that are there may be continued or written over.

        Args:
            settings: Settings of the job that is asked for.
            overwrite: Whether the result of another job may be replaced.

        Returns:
            The result of the job if it is complete already, otherwise ``None``.

        Raises:
            OutputError: If the files belong to another job, or are not what it left.
        """
        if not self.output.parent.is_dir():
            raise OutputError(f"There is no folder `{self.output.parent}`; create it first.")
        if self.output.exists() and not self.output.is_file():
            raise OutputError(f"`{self.output}` is not a file; name a file, or `-` for JSONL.")
        if overwrite:
            return None
        found = self._read_sidecar()
        mine = (self.output, self.work, self.rejects)
        held = [path for path in mine if path.exists() and path.stat().st_size > 0]
        if not held and not (found and found["complete"]):
            return None
        if found is None:
            raise OutputError(f"`{held[0]}` is there, but no job began it; {START_ANEW}.")
        stored = found["settings"]
        settings = json.loads(json.dumps(settings))  # as they were read back
        differences = [
            f"`{name}` was {stored.get(name)!r} and is {settings.get(name)!r}"
            for name in {**settings, **stored}
            if stored.get(name) != settings.get(name)
        ]
        if differences:
            raise OutputError(
                f"`{self.output}` belongs to a job with other settings: "
                f"{', '.join(differences)}; {START_ANEW}."
            )
        needed = self.output if found["complete"] else self.work
        if not needed.exists():
            raise OutputError(
                f"`{self.sidecar}` speaks of `{needed}`, but it is gone; {START_ANEW}."
            )
        result: dict[str, Any] | None = found["result"] if found["complete"] else None
        return result

    def refuse_inputs(self, inputs: Iterable[str]) -> None:
        """Refuse to write over what is to be read.

        Raises:
            OutputError: If an input is one of the files that the job writes.
        """
        refuse_overwriting(inputs, (self.output, self.work, self.rejects, self.sidecar))

    def discard(self, results: LineFile, rejects: LineFile) -> None:
        """Drop what an earlier job left; the sidecar first, so that nothing is taken for whole."""
        self.sidecar.unlink(missing_ok=True)
        results.clear()
        rejects.clear()
        if self.work != self.output:
            self.output.unlink(missing_ok=True)

    def clean_up(self) -> None:
        """Remove what a complete job does not need: the partial file, and rejects without rows."""
        if self.work != self.output:
            self.work.unlink(missing_ok=True)
        if self.rejects.exists() and not self.rejects.stat().st_size:
            self.rejects.unlink()

    def record(
        self, settings: Mapping[str, Any], *, result: Mapping[str, Any] | None = None
    ) -> None:
        """Write down the settings; with a result the job is complete."""
        content = {"complete": result is not None, "settings": settings, "result": result}
        with atomic_path(self.sidecar) as temporary:
            text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
            temporary.write_text(text, encoding="utf-8")

    def _read_sidecar(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self.sidecar.read_bytes())
            if not {"complete", "settings", "result"} <= set(found):
                raise ValueError
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            raise OutputError(
                f"`{self.sidecar}` does not describe a job; remove it or choose another output."
            ) from None
        return found

    def _beside(self, suffix: str) -> Path:
        return beside(self.output, suffix)


def beside(output: Path, suffix: str) -> Path:
    """The name of a file that goes with an output."""
    return output.with_name(output.name.removesuffix(".jsonl") + suffix)


def refuse_overwriting(inputs: Iterable[str | Path], outputs: Collection[Path]) -> None:
    """Refuse to write over what is to be read.

    Raises:
        OutputError: If an input is one of the outputs.
    """
    for path in map(Path, inputs):
        for own in outputs:
            # Not by name: links and relative paths lead to the same file
            if path.exists() and own.exists() and path.samefile(own):
                raise OutputError(
                    f"The job would write over its input `{path}`; choose another output."
                )
