"""The files of a resumable job, and whether what they hold belongs to the job that is asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from headwise.data import writers
from headwise.data.documents import DocumentFormat
from headwise.data.jobs.record import START_ANEW, JobRecord
from headwise.data.readers.cells.xlsx import check_openpyxl
from headwise.data.writers import LineFile
from headwise.errors import DataError, OutputError
from headwise.files import refuse_overwriting, refuse_written

_OTHER_NAMES = {
    "ndjson": "jsonl",
    "pq": "parquet",
    "tab": "tsv",
    "pot": "po",
    **dict.fromkeys(("xlf", "sdlxliff", "mxliff", "mqxliff"), "xliff"),
}


class OutputFormat(StrEnum):
    """A file format that results can be written in."""

    JSONL = "jsonl"
    TSV = "tsv"
    CSV = "csv"
    PARQUET = "parquet"
    XLSX = "xlsx"
    XLIFF = "xliff"
    TMX = "tmx"
    PO = "po"

    @classmethod
    def of(cls, output: Path, chosen: str | None) -> Self:
        """The format that was chosen, else the one that the suffix of the output says.

        Args:
            output: Where results go.
            chosen: Name of a format; ``None`` leaves it to the suffix.

        Raises:
            DataError: If it is not one of these, or needs a package that is not installed.
        """
        name = output.suffix.lower().removeprefix(".") if chosen is None else chosen
        try:
            found = cls(_OTHER_NAMES.get(name, name))
        except ValueError:
            raise DataError(
                f"The output format must be one of {', '.join(cls)}, got {name!r} (`{output}`); "
                "use one as suffix, or set --output-format."
            ) from None
        if found is cls.XLSX:
            check_openpyxl(output)
        return found

    @property
    def is_document(self) -> bool:
        """Whether results are put into a copy of the input, which is a translators' document."""
        return self.value in set(DocumentFormat)


TABLE_WRITERS = {
    OutputFormat.TSV: writers.write_tsv,
    OutputFormat.CSV: writers.write_csv,
    OutputFormat.XLSX: writers.write_xlsx,
    OutputFormat.PARQUET: writers.write_parquet,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a job is.

    Attributes:
        found: The record of the job that is there, if there is one.
        anew: Whether what is there is to be dropped.
    """

    found: JobRecord | None
    anew: bool = False

    @property
    def complete(self) -> JobRecord | None:
        """The record of the job, if nothing is left to do."""
        is_complete = self.found is not None and self.found.complete and not self.anew
        return self.found if is_complete else None


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

        Args:
            output: Where results go.
            chosen: Name of a format; ``None`` leaves it to the suffix.

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

    def check(self, wanted: JobRecord, *, overwrite: bool) -> Standing:
        """See whether the files that are there may be continued or written over.

        A job without a row of output binds to nothing: another one takes its place.

        Args:
            wanted: Record of the job that is asked for.
            overwrite: Whether the result of another job may be replaced.

        Returns:
            What is there.

        Raises:
            OutputError: If the files belong to another job, or are not what it left.
        """
        self._check_place()
        if overwrite:
            return Standing(None, anew=True)
        found = JobRecord.read(self.sidecar)
        mine = (self.output, self.work, self.rejects)
        held = [path for path in mine if path.exists() and path.stat().st_size > 0]
        if not held and not (found and found.complete):
            return Standing(None)
        if found is None:
            raise OutputError(f"`{held[0]}` is there, but no job began it; {START_ANEW}.")
        try:
            found.refuse_other(wanted, output=self.output, path=self.sidecar)
        except OutputError:
            if self._has_rows(found):
                raise
            return Standing(found, anew=True)
        needed = self.output if found.complete else self.work
        if not needed.exists():
            raise OutputError(
                f"`{self.sidecar}` speaks of `{needed}`, but it is gone; {START_ANEW}."
            )
        # A stream has passed and cannot be asked whether it holds rows now
        return Standing(found, anew=found.stream is not None and not self._has_rows(found))

    def _has_rows(self, found: JobRecord) -> bool:
        if found.result is not None and found.result.get("written") != 0:
            return True
        if not self.work.exists():
            return False
        with self.work.open("rb") as lines:
            return lines.readline().endswith(b"\n")

    def refuse_inputs(self, inputs: Iterable[str]) -> None:
        """Refuse to write over what is to be read.

        Args:
            inputs: Names of the files that are read; ``-`` is standard input.

        Raises:
            OutputError: If an input is one of the files that the job writes.
        """
        refuse_overwriting(inputs, self._all)

    def refuse_document(self, formats: Iterable[str]) -> None:
        """Refuse to write a document where there is none to copy.

        Args:
            formats: Those of the documents that are read.

        Raises:
            DataError: If so.
        """
        if self.format.is_document and self.format not in set(formats):
            raise DataError(
                f"`{self.output}` would be a copy of the input with results, and the input is no "
                f"document in {self.format.upper()}; choose a table as output, .jsonl or .tsv."
            )

    def expect(
        self, inputs: Iterable[str], also: Iterable[Path] = (), documents: Iterable[str] = ()
    ) -> None:
        """See that the job can write, before what works is loaded.

        Args:
            inputs: What is to be read.
            also: What else is written.
            documents: The formats of documents that are read.

        Raises:
            DataError: If a document is to be written where there is none to copy.
            OutputError: If there is no folder for the output, it is an input or written for
                something else, or another process is writing it.
        """
        self._check_place()
        self.refuse_inputs(inputs)
        self.refuse_document(documents)
        self._refuse_also(also)
        refuse_written(self.work, shown=self.output)

    def _check_place(self) -> None:
        if not self.output.parent.is_dir():
            raise OutputError(f"There is no folder `{self.output.parent}`; create it first.")
        if self.output.exists() and not self.output.is_file():
            raise OutputError(f"`{self.output}` is not a file; name a file, or `-` for JSONL.")

    def _refuse_also(self, outputs: Iterable[Path]) -> None:
        """Refuse to write something else where the job writes.

        Raises:
            OutputError: If an output is one of the files of the job.
        """
        own = [path.resolve() for path in self._all]
        for output in outputs:
            if output.resolve() in own:
                raise OutputError(
                    f"`{output}` is where the job writes its rows or keeps its settings; choose "
                    "another output."
                )

    @property
    def _all(self) -> tuple[Path, ...]:
        return self.output, self.work, self.rejects, self.sidecar

    def discard(
        self, results: LineFile, rejects: LineFile, *, found: JobRecord | None = None
    ) -> None:
        """Drop what an earlier job left; its result first, so that nothing is taken for whole.

        With the record of a job that has no rows, a process that is killed here leaves that job as
        one that has not begun.

        Args:
            results: The file of results, open for appending.
            rejects: The file of rejects, likewise.
            found: The record of the earlier job; ``None`` if there is none.
        """
        if found is None:
            self.sidecar.unlink(missing_ok=True)
        else:
            found.model_copy(update={"complete": False, "result": None}).write(self.sidecar)
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

    def _beside(self, suffix: str) -> Path:
        return beside(self.output, suffix)


def beside(output: Path, suffix: str) -> Path:
    """The name of a file that goes with an output.

    Args:
        output: The output, such as ``scored.jsonl``.
        suffix: What takes the place of its suffix, such as ``.rejects.jsonl``.
    """
    return output.with_name(output.name.removesuffix(".jsonl") + suffix)
