"""Write vectors to a file, each with the line of the text that it is of."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Self, assert_never

import torch
from torch import Tensor

from headwise.atomic import atomic_path, naming_output
from headwise.data.pairs import Pair
from headwise.data.writers import json_line
from headwise.errors import DataError
from headwise.tensor_files import write_tensors


class VectorFormat(StrEnum):
    """A file format that vectors can be written in.

    Attributes:
        NPY: NumPy's; the lines stand in a second file, ``<name>.lines.npy``.
        SAFETENSORS: Two tensors, ``vectors`` and ``lines``.
        JSONL: One object a text, with ``line``, ``text`` and ``embedding``.
        PARQUET: Columns of the same names.
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


def write_vectors(output: Path, rows: Sequence[Pair], vectors: Tensor) -> None:
    """Write vectors, all or nothing, in the format that the suffix says.

    Args:
        output: The file.
        rows: N texts.
        vectors: Their vectors, ``(N, D)``, float32.

    Raises:
        DataError: If the suffix is unknown.
        OutputError: If the file cannot be written.
    """
    lines = torch.tensor([row.line for row in rows], dtype=torch.int64)
    match VectorFormat.of(output):
        case VectorFormat.NPY:
            # Old vectors never stand beside new lines, nor new vectors beside old lines
            output.unlink(missing_ok=True)
            _write_npy(lines_file(output), lines)
            _write_npy(output, vectors)
        case VectorFormat.SAFETENSORS:
            write_tensors(output, {"vectors": vectors.contiguous(), "lines": lines})
        case VectorFormat.JSONL:
            _write_jsonl(output, rows, vectors)
        case VectorFormat.PARQUET:
            _write_parquet(output, rows, vectors)
        case unknown:
            assert_never(unknown)


def _write_npy(path: Path, values: Tensor) -> None:
    import numpy as np

    with naming_output(path), atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.save(stream, values.numpy(), allow_pickle=False)


def _write_jsonl(path: Path, rows: Sequence[Pair], vectors: Tensor) -> None:
    with naming_output(path), atomic_path(path) as temporary, temporary.open("wb") as stream:
        for row, vector in zip(rows, vectors, strict=True):
            text = {"line": row.line, "text": row.hypothesis, "embedding": vector.tolist()}
            stream.write(json_line(text))


def _write_parquet(path: Path, rows: Sequence[Pair], vectors: Tensor) -> None:
    import pyarrow
    import pyarrow.parquet

    size = vectors.shape[1]
    flat = pyarrow.array(vectors.flatten().numpy())
    columns = {
        "line": pyarrow.array([row.line for row in rows], pyarrow.int64()),
        "text": pyarrow.array([row.hypothesis for row in rows], pyarrow.string()),
        "embedding": pyarrow.FixedSizeListArray.from_arrays(flat, size),
    }
    with naming_output(path), atomic_path(path) as temporary:
        pyarrow.parquet.write_table(pyarrow.table(columns), temporary)
