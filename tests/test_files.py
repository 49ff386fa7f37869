"""Tensors on disk, all or nothing."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from headwise.errors import OutputError
from headwise.files import write_tensors

TENSORS = {"a": torch.randn(3, 5), "b": torch.arange(4, dtype=torch.int16), "c": torch.zeros(0)}
FAILURES = {
    "safetensors": SafetensorError(
        "Error while serializing: I/O error: No space left on device (os error 28)"
    ),
    "system": OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.safetensors"
    write_tensors(path, TENSORS)
    found = load_file(path)
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in TENSORS.items())
    with safe_open(path, framework="pt") as file:
        assert file.metadata() == {"format": "pt"}  # Transformers wants to know
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_others_may_read_it_as_far_as_the_umask_lets_them(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_tensors(tmp_path / "x.safetensors", TENSORS)
    finally:
        os.umask(before)
    assert (tmp_path / "x.safetensors").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("kind", FAILURES)
def test_a_full_disk_is_named_and_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def fail(_: Any, path: Path, **__: Any) -> None:
        path.write_bytes(b"half")
        raise FAILURES[kind]

    path = tmp_path / "x.safetensors"
    write_tensors(path, TENSORS)
    before = path.read_bytes()
    monkeypatch.setattr("safetensors.torch.save_file", fail)
    with pytest.raises(
        OutputError, match=r"x\.safetensors cannot be written: .*No space left on device"
    ):
        write_tensors(path, {"a": torch.ones(9)})
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {path.name: before}


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "features").write_text("not a folder")
    with pytest.raises(OutputError, match=r"features/x\.safetensors cannot be written: "):
        write_tensors(tmp_path / "features" / "x.safetensors", TENSORS)
