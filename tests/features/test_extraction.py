"""Extraction in several processes, on a full disk, and what it says of its own size."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
from extracting import Extract, contents, random_backbone
from safetensors import SafetensorError

from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.data.records.pairs import Pair
from headwise.errors import DataError, OutputError
from headwise.features import CachedFeatures, FeatureSpec, estimate_bytes, extract_features

TINY = NAMED_PROMPTS["tiny"]
FAILURES = {
    "safetensors": SafetensorError(
        "Error while serializing: I/O error: No space left on device (os error 28)"
    ),
    "system": OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
}


def test_a_finished_folder_is_taken_as_it_is(
    extract: Extract, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = extract().folder
    before = contents(folder)
    assert set(before) == {"index.json", *(f"shard-{n:05d}.safetensors" for n in range(6))}
    monkeypatch.setattr(CausalBackbone, "target_hidden", None)  # the model is not asked again
    assert extract(shard_bytes=10).counts == CachedFeatures(folder).counts
    assert contents(folder) == before


def test_tuples_and_rows_are_pairs(
    extract: Extract, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = extract().folder
    monkeypatch.setattr(CausalBackbone, "target_hidden", None)  # what is there is taken
    spec = FeatureSpec(dtype="float32", candidates=7)
    others = [(one.source, one.hypothesis) for one in pairs[:9]]
    rows = [{"prompt": one.source, "response": one.hypothesis} for one in pairs[9:]]
    taken = extract_features(random_backbone(), [*others, *rows], TINY, folder, spec=spec)
    assert len(taken.counts) == len(pairs)


def test_shards_hold_whole_examples_and_no_more_than_asked_for(extract: Extract) -> None:
    asked = 20_000
    cached = extract(shard_bytes=asked)
    sizes = [shard.stat().st_size for shard in cached.folder.glob("shard-*")]
    # Beside the rows: a header, and three numbers a pair
    assert all(size < asked + 2000 for size in sizes)
    assert sum(size > 0.7 * asked for size in sizes) >= len(sizes) - 1
    each = extract("each", shard_bytes=1)
    assert len(list(each.folder.glob("shard-*"))) == len(each.counts) == 36


@pytest.mark.parametrize("world_size", [2, 3])
def test_several_processes_write_what_one_writes(
    extract: Extract, pairs: list[Pair], world_size: int
) -> None:
    alone = contents(extract("alone").folder)
    barrier = threading.Barrier(world_size, timeout=60)
    backbones = [random_backbone() for _ in range(world_size)]
    found: dict[int, CachedFeatures] = {}

    def work(rank: int) -> None:
        found[rank] = extract(
            "shared",
            backbone=backbones[rank],
            rank=rank,
            world_size=world_size,
            wait=barrier.wait,
        )

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(world_size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == world_size
    assert contents(found[0].folder) == alone
    assert all(len(features.counts) == len(pairs) for features in found.values())


def test_one_process_finishes_what_two_began(extract: Extract, tmp_path: Path) -> None:
    calls = []

    def wait() -> None:
        calls.append(None)
        if len(calls) == 2:
            raise RuntimeError("the other process is gone")

    alone = contents(extract("alone").folder)
    with pytest.raises(RuntimeError, match="the other process is gone"):
        extract("shared", rank=0, world_size=2, wait=wait)
    done = {path.name for path in (tmp_path / "shared").glob("*.safetensors")}
    assert done == {f"shard-{n:05d}.safetensors" for n in (0, 2, 4)}
    assert contents(extract("shared").folder) == alone


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("number", [0, 3])
def test_a_full_disk_says_what_to_do_and_can_be_continued(
    extract: Extract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, number: int
) -> None:
    def save(tensors: Any, path: Path, **options: Any) -> None:
        if path.name.startswith(f"shard-{number:05d}"):
            path.write_bytes(b"half")
            raise FAILURES[kind]
        original(tensors, path, **options)

    alone = contents(extract("alone").folder)
    original: Callable[..., None] = safetensors.torch.save_file
    with monkeypatch.context() as patch:
        patch.setattr("safetensors.torch.save_file", save)
        with pytest.raises(OutputError) as caught:
            extract("full")
        with pytest.raises(OutputError, match="run the same again, or buy a disk"):
            extract("full", instead="buy a disk")
    message = str(caught.value)
    assert f"shard-{number:05d}.safetensors cannot be written" in message
    assert "No space left on device" in message
    assert "make room and run the same again, or train without a cache" in message

    folder = tmp_path / "full"
    whole = {path: path.stat().st_mtime_ns for path in folder.glob("*.safetensors")}
    assert len(whole) == number
    assert not list(folder.glob("*.tmp"))
    assert contents(extract("full").folder) == alone
    assert {path: path.stat().st_mtime_ns for path in whole} == whole


def test_a_file_in_the_place_of_the_folder_is_named(extract: Extract, tmp_path: Path) -> None:
    (tmp_path / "features").write_text("not a folder")
    with pytest.raises(OutputError, match=r"features cannot be written: .*without a cache"):
        extract()
    assert (tmp_path / "features").read_text() == "not a folder"


@pytest.mark.parametrize(
    ("unreadable", "reason"),
    [
        ([], "they are empty"),
        ([Pair("A dog.", "")], "of the first: .* is empty"),
        (
            [Pair("A dog.", "Ein Hund. " * 300, 4)] * 3,
            r"the first \(line 4\): .* reads \d+ at most",
        ),
    ],
)
def test_data_without_a_pair_that_can_be_read(
    extract: Extract, tmp_path: Path, unreadable: list[Pair], reason: str
) -> None:
    with pytest.raises(DataError, match=f"no pair that the model can read.*{reason}"):
        extract(pairs=unreadable)
    assert contents(tmp_path / "features") == {}
    assert len(extract().counts) == 36  # the folder is free for other data


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("cut", [False, True])
def test_the_estimate_is_near_the_size(
    backbone: CausalBackbone, pairs: list[Pair], tmp_path: Path, dtype: str, cut: bool
) -> None:
    many = [Pair(p.source, " ".join([p.hypothesis] * (n % 9))) for n, p in enumerate(pairs * 18)]
    assert len(many) > 512  # a sample stands for them
    spec = FeatureSpec(dtype=dtype, candidates=7, max_length=60, cut=cut)
    estimate = estimate_bytes(backbone, many, TINY, spec)
    cached = extract_features(backbone, many, TINY, tmp_path / "features", spec=spec)
    size = sum(path.stat().st_size for path in cached.folder.glob("shard-*"))
    assert cached.bytes == size
    assert abs(estimate - size) < 0.2 * size


def test_no_pairs_take_no_room(backbone: CausalBackbone) -> None:
    assert estimate_bytes(backbone, [], TINY, FeatureSpec()) == 0
