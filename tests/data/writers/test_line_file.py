import errno
from pathlib import Path

import pytest

from headwise.data.writers import LineFile
from headwise.errors import OutputError


def test_lines_are_there_at_once_and_can_be_continued(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with LineFile(path) as file:
        assert list(file.recover()) == []
        file.append(b"one\n")
        assert path.read_bytes() == b"one\n"
    with LineFile(path) as file:
        assert list(file.recover()) == [b"one\n"]
        file.append(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize("rest", [b"t", b"two", b"\xff\x00"])
def test_broken_last_line_is_cut(tmp_path: Path, rest: bytes) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"one\n" + rest)
    with LineFile(path) as file:
        assert list(file.recover()) == [b"one\n"]
        file.append(b"2\n")
    assert path.read_bytes() == b"one\n2\n"


def test_second_writer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with LineFile(path), pytest.raises(OutputError, match="Another process is writing"):
        LineFile(path)
    with LineFile(path):
        pass


def test_unwritable_path(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        LineFile(tmp_path / "missing" / "lines")
    with pytest.raises(OutputError, match="cannot be written"):
        LineFile(tmp_path)


def test_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lines"
    with LineFile(path) as file:
        list(file.recover())
        file.append(b"one\n")
        with monkeypatch.context() as patch:
            patch.setattr(file, "_file", FullDisk(file._file, free=2))
            with pytest.raises(OSError, match="No space") as caught:
                file.append(b"two\n")
        assert caught.value.errno == errno.ENOSPC
        assert path.read_bytes() == b"one\n"
        file.append(b"three\n")
    assert path.read_bytes() == b"one\nthree\n"


class FullDisk:
    """A file on a disk with room for a few more bytes, which takes what fits, as a real one."""

    def __init__(self, file: object, free: int) -> None:
        self._file = file
        self._free = free

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)

    def write(self, data: memoryview) -> int:
        if not self._free:
            raise OSError(errno.ENOSPC, "No space left on device")
        written: int = self._file.write(data[: self._free])  # type: ignore[attr-defined]
        self._free -= written
        return written
