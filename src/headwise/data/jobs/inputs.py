"""What a job reads, by its content: digests of files, and streams compared as they pass."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Generic

from headwise.data.jobs.record import START_ANEW
from headwise.data.jobs.work import Row
from headwise.data.readers import STDIN
from headwise.data.records.pairs import Reject
from headwise.documents import parse_json
from headwise.errors import DataError, OutputError

_DIGITS = 32
# What the package `datasets` puts beside a data set while it is used
_BESIDE_DATA = ("cache-", "tmp")


def input_settings(inputs: Sequence[str]) -> dict[str, Any]:
    """Names, sizes and digests of what a job reads.

    A stream has neither size nor digest: what it holds is not known beforehand.

    Raises:
        DataError: If an input cannot be read.
    """
    paths = [Path(name) for name in inputs]
    return {
        "input": list(inputs),
        "input_bytes": [path.stat().st_size if path.is_file() else None for path in paths],
        "input content": {
            name: None if is_stream(name) else _content_digest(Path(name)) for name in inputs
        },
    }


def is_stream(name: str) -> bool:
    """Whether an input can be read only once: standard input, a pipe."""
    path = Path(name)
    return name == STDIN or (path.exists() and not (path.is_file() or path.is_dir()))


def _content_digest(path: Path) -> str:
    files = [path]
    if path.is_dir():
        files = [p for p in path.iterdir() if p.is_file() and not p.name.startswith(_BESIDE_DATA)]
    whole = hashlib.sha256()
    try:
        for file in sorted(files):
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").digest()
            # A file is the same by whatever name; in a folder, names say what is what
            whole.update(digest if file == path else file.name.encode("utf-8", "replace") + digest)
    except OSError as error:
        raise DataError(f"`{path}` cannot be read: {error.strerror or error}.") from error
    return whole.hexdigest()[:_DIGITS]


class StreamDigest(Generic[Row]):
    """Rows of a stream on their way, and a digest of all that have passed."""

    def __init__(self, rows: Iterator[Row | Reject]) -> None:
        self._rows = rows
        self._digest = hashlib.sha256()

    def __iter__(self) -> Iterator[Row | Reject]:
        for row in self._rows:
            self._digest.update(f"{row!r}\n".encode("utf-8", "surrogatepass"))
            yield row

    def hexdigest(self) -> str:
        """Of the rows so far."""
        return self._digest.hexdigest()[:_DIGITS]


def compared_rows(
    rows: Iterator[Row | Reject], good: Iterator[str], rejects: Iterable[bytes]
) -> Iterator[Row | Reject]:
    """Rows that pass on, each compared with what an earlier run wrote for one of its place.

    Args:
        rows: Of the input, as many as were done.
        good: Texts of the rows of the output, read to their end.
        rejects: Lines of the rejects, likewise.

    Raises:
        OutputError: If a row is another one.
    """
    bad = map(_place_and_content, rejects)
    next_bad = next(bad, None)
    for row in rows:
        if next_bad == (row.line, row.content):
            next_bad = next(bad, None)
        elif isinstance(row, Reject) or next(good, None) != row.content:
            raise OutputError(
                f"Row {row.line} of the input is not the one that an earlier run was given; "
                f"{START_ANEW}."
            )
        yield row
    for _ in chain(good, bad):
        pass


def _place_and_content(line: bytes) -> tuple[Any, Any] | None:
    """What a reject says of its row; ``None`` for a line that is damaged."""
    try:
        row = parse_json(line.decode(), allow_nan=True)
        return row["line"], row["content"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
