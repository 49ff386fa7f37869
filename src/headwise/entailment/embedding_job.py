"""Embed the texts of a file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import assert_never

import torch
from torch import Tensor

from headwise.backbones import EncodedText, EncoderBackbone
from headwise.backbones.encoders.sentence_embedding import TextRole
from headwise.data.jobs import beside
from headwise.data.jobs.vector_files import VectorFormat, check_vector_output, vector_files
from headwise.data.readers import Layout
from headwise.data.readers.texts import read_texts
from headwise.data.records.pairs import Pair, Reject
from headwise.data.writers import json_line, reject_row
from headwise.entailment.model import EntailmentModel
from headwise.files import (
    atomic_paths,
    naming_output,
    only_writer_of,
    write_tensors,
)
from headwise.progress import progress_bar


def readable_rows(
    backbone: EncoderBackbone, rows: Iterable[Pair | Reject], *, what: str, role: TextRole | None
) -> tuple[list[Pair], list[EncodedText], list[Reject]]:
    """Tokenise the texts of rows, and set aside what cannot be read, all in input order."""
    read = list(rows)
    pairs = [row for row in read if isinstance(row, Pair)]
    codes = iter(backbone.encode([pair.hypothesis for pair in pairs], what=what, role=role))
    good, encoded, rejects = [], [], []
    for row in read:
        if isinstance(row, Reject):
            rejects.append(row)
        elif isinstance(code := next(codes), EncodedText):
            good.append(row)
            encoded.append(code)
        else:
            rejects.append(Reject(row.line, str(code), row.hypothesis))
    return good, encoded, rejects


def write_vectors(
    output: Path, rows: Sequence[Pair], vectors: Tensor, rejects: Sequence[Reject] = ()
) -> None:
    """Write the vectors of N rows, ``(N, D)``, float32, all or nothing, as the suffix says.

    Rejects, if there are any, stand in a file beside it, as do the lines in NumPy's format.

    Raises:
        DataError: If the suffix is unknown.
        OutputError: If a file cannot be written.
    """
    lines = torch.tensor([row.line for row in rows], dtype=torch.int64)
    kind = VectorFormat.of(output)
    with naming_output(output), atomic_paths(*vector_files(output)) as (whole, bad, *numbers):
        match kind:
            case VectorFormat.NPY:
                _write_npy(numbers[0], lines)
                _write_npy(whole, vectors)
            case VectorFormat.SAFETENSORS:
                write_tensors(whole, {"vectors": vectors.contiguous(), "lines": lines})
            case VectorFormat.JSONL:
                _write_jsonl(whole, rows, vectors)
            case VectorFormat.PARQUET:
                _write_parquet(whole, rows, vectors)
            case unknown:
                assert_never(unknown)
        if rejects:
            bad.write_bytes(b"".join(json_line(reject_row(reject)) for reject in rejects))


def _write_npy(path: Path, values: Tensor) -> None:
    import numpy as np

    with path.open("wb") as stream:
        np.save(stream, values.numpy(), allow_pickle=False)


def _write_jsonl(path: Path, rows: Sequence[Pair], vectors: Tensor) -> None:
    with path.open("wb") as stream:
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
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


# Texts that are tokenised together: enough to find many of similar length
_WINDOW = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedFile:
    """What was embedded.

    Attributes:
        size: D, the width of the vectors.
        rejects: The file that says which texts could not be read, and why; not there if all could.
    """

    embedded: int
    size: int
    rejected: int
    rejects: Path


def embed_file(
    model: EntailmentModel,
    source: str | Path,
    output: str | Path,
    *,
    column: str | None = None,
    layout: Layout = Layout(),
    role: TextRole = "text",
    overwrite: bool = False,
    progress: bool = False,
) -> EmbeddedFile:
    """Embed the texts of a file; each vector keeps the line of its text.

    Vectors and texts are held in memory until all are there. ``source`` is read by
    :func:`~headwise.data.readers.texts.read_texts`, as lines of text without a ``column``; the
    suffix of ``output`` is a :class:`VectorFormat`; ``layout`` says how the file is written, and
    ``role`` is that of `EntailmentModel.embed`.

    Raises:
        DataError: If the input cannot be read, or the suffix of the output is unknown.
        OutputError: If the output is there already, or cannot be written.
    """
    output = Path(output)
    check_vector_output(source, output, overwrite=overwrite)
    with only_writer_of(output):
        rows = list(read_texts(source, column=column, layout=layout))
        stream = iter(rows)
        good: list[Pair] = []
        rejects: list[Reject] = []
        parts = [model.embed([])]
        with progress_bar("Embedding", total=len(rows), enabled=progress) as advance:
            while window := list(islice(stream, _WINDOW)):
                readable, codes, others = readable_rows(
                    model.backbone, window, what="text", role=role
                )
                parts.append(model.encoder.embed(codes))
                good += readable
                rejects += others
                advance(len(window))
        vectors = torch.cat(parts)
        write_vectors(output, good, vectors, rejects)
    return EmbeddedFile(
        embedded=len(good),
        size=vectors.shape[1],
        rejected=len(rejects),
        rejects=beside(output, ".rejects.jsonl"),
    )
