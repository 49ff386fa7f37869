"""An extraction that is killed, and killed again, against one that is left alone."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
from extracting import Extract, contents

from headwise.errors import OutputError
from headwise.features import extraction
from headwise.files import only_writer

# The processes start at once, so that there is something to kill
FORK = multiprocessing.get_context("fork")


def run(target: Callable[..., Any], *args: Any) -> Any:
    process = FORK.Process(target=target, args=args)
    process.start()
    return process


def shards(folder: Path) -> dict[str, int]:
    """Complete shards, with the time when they were written."""
    receipts = folder.glob("shard-*.json")
    paths = [receipt.with_suffix(".safetensors") for receipt in receipts]
    return {path.name: path.stat().st_mtime_ns for path in paths}


def test_killed_from_outside(extract: Extract, tmp_path: Path) -> None:
    alone = contents(extract("alone").folder)
    folder = tmp_path / "killed"
    process = run(slow_extraction, extract)
    deadline = time.monotonic() + 60
    while len(shards(folder)) < 2 and time.monotonic() < deadline:
        time.sleep(0.001)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    whole = shards(folder)
    assert 2 <= len(whole) < len(alone) - 1

    assert contents(extract("killed").folder) == alone
    assert {name: (folder / name).stat().st_mtime_ns for name in whole} == whole


def slow_extraction(extract: Extract) -> None:
    save = safetensors.torch.save_file

    def save_slowly(*args: Any, **options: Any) -> None:
        time.sleep(0.1)
        save(*args, **options)

    safetensors.torch.save_file = save_slowly
    extract("killed")


def test_killed_at_every_step(extract: Extract, tmp_path: Path) -> None:
    """Each process continues what the one before it left, up to its own end."""
    alone = contents(extract("alone").folder)
    folder = tmp_path / "killed"
    kept: dict[str, int] = {}
    for moment in (
        *("plan.json", "plan.json.tmp"),
        *("shard-00000.safetensors.tmp", "shard-00000.json.tmp", "shard-00001.safetensors"),
        *("shard-00003.json.tmp", "shard-00004.safetensors.tmp", "shard-00005.json"),
        *("index.json.tmp", "index.json", "tidying"),
    ):
        process = run(extract_and_die, extract, moment)
        process.join(60)
        assert process.exitcode == -signal.SIGKILL, f"The process was not killed at {moment}."
        assert {name: (folder / name).stat().st_mtime_ns for name in kept} == kept
        kept |= shards(folder)
    assert len(kept) == len(alone) - 1
    left = set(contents(folder)) - set(alone)
    assert left  # the last one died while it tidied up

    assert contents(extract("killed").folder) == alone
    assert {name: (folder / name).stat().st_mtime_ns for name in kept} == kept


def extract_and_die(extract: Extract, moment: str) -> None:
    """Die when a temporary file is half written, before a file gets its name, or while tidying."""
    replace, unlink, fsync = Path.replace, Path.unlink, os.fsync

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def sync_or_die(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").resolve()
        if path.name == moment:
            os.truncate(path, path.stat().st_size // 2)
            die()
        fsync(descriptor)

    def replace_or_die(path: Path, target: Path) -> Path:
        if target.name == moment:
            die()
        return replace(path, target)

    def unlink_or_die(path: Path, *, missing_ok: bool = False) -> None:
        if moment == "tidying" and path.name == "shard-00003.json":
            die()
        unlink(path, missing_ok=missing_ok)

    os.fsync = sync_or_die
    Path.replace = replace_or_die  # type: ignore[assignment, method-assign]
    Path.unlink = unlink_or_die  # type: ignore[method-assign]
    extract("killed")


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b"\xff", b'{"sha256": "0"}'])
def test_a_shard_whose_receipt_is_damaged_is_written_again(
    extract: Extract, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: bytes
) -> None:
    alone = contents(extract("alone").folder)
    folder = tmp_path / "killed"

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(extraction, "finish_folder", stop)
        with pytest.raises(KeyboardInterrupt):
            extract("killed")
    (folder / "shard-00002.json").write_bytes(damage)
    (folder / "shard-00004.safetensors").write_bytes(b"cut")
    assert contents(extract("killed").folder) == alone


def test_two_extractions_into_a_folder(extract: Extract, tmp_path: Path) -> None:
    with (
        only_writer(tmp_path / "shared"),
        pytest.raises(OutputError, match="Another process is writing"),
    ):
        extract("shared")
    assert contents(extract("shared").folder) == contents(extract("alone").folder)
