"""Append whole lines, so that a process killed at any moment leaves at most one broken line."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol, Self

from headwise.errors import OutputError
from headwise.files import being_written, holds_lock


class LineWriter(Protocol):
    """Something that lines can be appended to."""

    def append(self, line: bytes) -> None:
        """Write a line, line end included, and leave nothing of it in a buffer.

        Args:
            line: Bytes with their line end.
        """


class LineStream:
    """Lines to a stream that cannot be read again, such as standard output.

    Args:
        stream: A binary stream, which stays open.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def append(self, line: bytes) -> None:
        """Write a line, line end included, and flush.

        Args:
            line: Bytes with their line end.

        Raises:
            OSError: If the reader of the stream is gone, or there is no space.
        """
        try:
            self._stream.write(line)
            self._stream.flush()
        except OSError:
            self._drop_buffer()
            raise

    def _drop_buffer(self) -> None:
        # Into nothing: Python would fail over what is still in the buffer again at exit
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


class LineFile:
    """Lines appended to a file of which this process is the only writer.

    Use it as a context manager. :meth:`recover` must have been exhausted before the first
    :meth:`append`.

    Args:
        path: Created if it is not there.

    Raises:
        OutputError: If the file cannot be opened, or another process is writing it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise OutputError(f"`{path}` cannot be written: {error.strerror}.") from error
        # Without a buffer, a killed process loses no line that it wrote
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        self._end = 0
        try:
            self._lock()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def recover(self) -> Iterator[bytes]:
        """Read the lines that are there, and cut what follows the last line end."""
        self._end = 0
        with self._path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self._end += len(line)
                yield line
        self._cut()

    def clear(self) -> None:
        """Drop all lines."""
        self._end = 0
        self._cut()

    def append(self, line: bytes) -> None:
        """Write a line, line end included; if that fails, nothing of it stays.

        Args:
            line: Bytes with their line end.

        Raises:
            OSError: If the disk is full or the file cannot be written.
        """
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except BaseException:
            self._cut()
            raise
        self._end += len(line)

    def sync(self) -> None:
        """Wait until the lines would survive a loss of power."""
        os.fsync(self._file.fileno())

    def _cut(self) -> None:
        self._file.truncate(self._end)
        self._file.seek(self._end)

    def _lock(self) -> None:
        # Of the open file, not of a second one beside it
        if not holds_lock(self._file.fileno()):
            raise being_written(self._path)
