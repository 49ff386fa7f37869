"""The files that vectors of texts are written to: their formats, and whether they can be."""

from enum import StrEnum
from pathlib import Path
from typing import Self

from headwise.data.jobs.files import beside
from headwise.errors import DataError, OutputError
from headwise.files import is_half_written, refuse_overwriting, refuse_written, temporary_name


class VectorFormat(StrEnum):
    """A file format that vectors can be written in.

    NumPy's has the lines in a second file, ``<name>.lines.npy``; safetensors has two tensors,
    ``vectors`` and ``lines``; JSONL and Parquet have ``line``, ``text`` and ``embedding``.
    """

    NPY = "npy"
    SAFETENSORS = "safetensors"
    JSONL = "jsonl"
    PARQUET = "parquet"

    @classmethod
    def of(cls, output: Path) -> Self:
        """The format that the suffix of a name says.

        Raises:
            DataError: If it says none of these.
        """
        try:
            return cls(output.suffix.lower().removeprefix("."))
        except ValueError:
            raise DataError(
                f"Vectors can be written to files that end in {', '.join(cls)}, got `{output}`."
            ) from None


def lines_file(output: Path) -> Path:
    """Where the line numbers of vectors in NumPy's format stand."""
    return output.with_name(f"{output.stem}.lines.npy")


def vector_files(output: Path) -> list[Path]:
    """The files of an output: vectors, rejects, and line numbers if they have one."""
    is_numpy = VectorFormat.of(output) is VectorFormat.NPY
    return [
        output,
        beside(output, ".rejects.jsonl"),
        *([lines_file(output)] if is_numpy else []),
    ]


def check_vector_output(source: str | Path, output: Path, *, overwrite: bool) -> None:
    """Refuse an output before the work begins.

    Raises:
        DataError: If its suffix is unknown.
        OutputError: If it is there already, is the input, has no folder, or is being written.
    """
    own = vector_files(output)
    refuse_overwriting([source], own)
    if not output.parent.is_dir():
        raise OutputError(f"There is no folder `{output.parent}`; create it first.")
    for path in own:
        if path.is_dir():
            raise OutputError(f"`{path}` is a folder; choose another output.")
        if path.exists() and not (overwrite or is_half_written(output)):
            raise OutputError(
                f"`{path}` is there already; pass --overwrite to replace it, or choose another "
                "output."
            )
    refuse_written(temporary_name(output), shown=output)
