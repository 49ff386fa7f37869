"""Embed the texts of a file."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from headwise.atomic import atomic_path, naming_output
from headwise.data.jobs import beside, refuse_overwriting
from headwise.data.pairs import Pair, Reject
from headwise.data.readers.texts import read_texts
from headwise.data.writers import json_line, reject_row
from headwise.entailment.embedding import embed_codes
from headwise.entailment.model import EntailmentModel
from headwise.entailment.readable_rows import readable_rows
from headwise.entailment.vector_files import VectorFormat, lines_file, write_vectors
from headwise.errors import OutputError
from headwise.progress import progress_bar

# Texts that are tokenised together: enough to find many of similar length
_WINDOW = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedFile:
    """What was embedded.

    Attributes:
        embedded: Texts in the output.
        size: D, the width of the vectors.
        rejected: Texts that could not be read.
        rejects: The file that says which and why; there is none if there are no such texts.
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
    overwrite: bool = False,
    progress: bool = False,
) -> EmbeddedFile:
    """Embed the texts of a file; each vector keeps the line of its text.

    Vectors and texts are held in memory until all are there.

    Args:
        model: Embeds texts.
        source: As :func:`~headwise.data.readers.texts.read_texts` reads it.
        output: The file to write; its suffix is one of
            :class:`~headwise.entailment.vector_files.VectorFormat`.
        column: The column that holds the texts; ``None`` for lines of text.
        overwrite: Whether what is there may be replaced.
        progress: Whether to show a bar in a terminal.

    Returns:
        What was done.

    Raises:
        DataError: If the input cannot be read, or the suffix of the output is unknown.
        OutputError: If the output is there already, or cannot be written.
    """
    output = Path(output)
    rejects_file = _check_output(source, output, overwrite=overwrite)
    rows = list(read_texts(source, column=column))
    stream = iter(rows)
    good: list[Pair] = []
    rejects: list[Reject] = []
    parts = [model.embed([])]
    with progress_bar("Embedding", total=len(rows), enabled=progress) as advance:
        while window := list(islice(stream, _WINDOW)):
            readable, codes, others = readable_rows(model.backbone, window, what="text")
            parts.append(embed_codes(model.backbone, model.heads, codes, progress=False))
            good += readable
            rejects += others
            advance(len(window))
    vectors = torch.cat(parts)
    _write_rejects(rejects_file, rejects)
    write_vectors(output, good, vectors)
    return EmbeddedFile(
        embedded=len(good), size=vectors.shape[1], rejected=len(rejects), rejects=rejects_file
    )


def _check_output(source: str | Path, output: Path, *, overwrite: bool) -> Path:
    """Refuse an output before the work begins; where the rejects go."""
    kind = VectorFormat.of(output)
    rejects = beside(output, ".rejects.jsonl")
    own = [output, rejects, *([lines_file(output)] if kind is VectorFormat.NPY else [])]
    refuse_overwriting([source], own)
    if not output.parent.is_dir():
        raise OutputError(f"There is no folder `{output.parent}`; create it first.")
    for path in own:
        if path.is_dir():
            raise OutputError(f"`{path}` is a folder; choose another output.")
        if path.exists() and not overwrite:
            raise OutputError(
                f"`{path}` is there already; pass --overwrite to replace it, or choose another "
                "output."
            )
    return rejects


def _write_rejects(path: Path, rejects: Iterable[Reject]) -> None:
    lines = [json_line(reject_row(reject)) for reject in rejects]
    if not lines:
        path.unlink(missing_ok=True)
        return
    with naming_output(path), atomic_path(path) as temporary:
        temporary.write_bytes(b"".join(lines))
