"""Valid files of every kind, changed at random: a value or an error of headwise, nothing else."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_heads import all_heads

from headwise.data.jobs.record import JobRecord
from headwise.data.readers import (
    read_mqm,
    read_numbers,
    read_pairs,
    read_scored_rows,
    read_tags,
)
from headwise.data.readers.claims import read_claims
from headwise.data.readers.inferences import read_inferences
from headwise.data.readers.routes import read_route_examples, read_routes
from headwise.data.readers.texts import read_texts
from headwise.errors import HeadwiseError
from headwise.features.shards import INDEX_FILE, read_index, read_shard, write_shard
from headwise.heads import (
    ErrorHead,
    SigmoidHead,
    load_error_head,
    load_head,
    load_task_heads,
    save_head,
    save_seed_heads,
    save_task_heads,
)
from headwise.heads.storage.quality_heads import read_head_info
from headwise.quality.calibration.record import Calibration
from headwise.training.loop.checkpoints import newest_whole
from headwise.training.loop.run_file import TrainingRun

PROMPT = {"kind": "text", "prompt": "{bos} {source}", "completion": "{hypothesis}", "end": "{eos}"}
ROWS = [
    {"source": "a b", "hypothesis": "ä ö", "premise": "p", "label": "neutral", "n": 0.5},
    {"source": "c", "hypothesis": "ü", "premise": "q", "label": "entailment", "n": 1},
]
SCORED = {
    "source": "a",
    "hypothesis": "b c",
    "score": 0.5,
    "signals": {"sigmoid": 0.5},
    "annotations": [{"start": 0, "end": 1, "severity": "major", "category": "x"}],
    "tokens": [{"text": "b", "id": 3, "start": 0, "end": 1, "sigmoid": 0.5}],
}
MQM = "system\tdoc\tdoc_id\tseg_id\trater\tsource\ttarget\tcategory\tseverity\n" + (
    "s\td\t1\t1\tr\ta b\t<v>c</v> d\tAccuracy\tMajor\n" * 2
)


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), path)


def no_unembedding() -> Any:
    raise AssertionError


# Name of a file, what writes a valid one, and what reads it
Kind = tuple[str, Callable[[Path], object], Callable[[Path], object]]
READERS: dict[str, Kind] = {
    "tsv": (
        "a.tsv",
        lambda p: p.write_text("source\thypothesis\na\tb\nc\td\n"),
        lambda p: list(read_pairs(p)),
    ),
    "jsonl": ("a.jsonl", lambda p: p.write_bytes(lines(ROWS)), lambda p: list(read_pairs(p))),
    "parquet": ("a.parquet", parquet, lambda p: list(read_pairs(p))),
    "inferences": (
        "a.jsonl",
        lambda p: p.write_bytes(lines(ROWS)),
        lambda p: list(read_inferences(p)),
    ),
    "mqm": ("a.tsv", lambda p: p.write_text(MQM), lambda p: list(read_mqm(p))),
    "scored": (
        "a.jsonl",
        lambda p: p.write_bytes(lines([SCORED] * 2)),
        lambda p: list(read_scored_rows(p)),
    ),
    "numbers": ("a.txt", lambda p: p.write_text("0.5\n1\nnan\n"), read_numbers),
    "numbers of parquet": ("a.parquet", parquet, lambda p: read_numbers(p, column="n")),
    "tags": ("a.tags", lambda p: p.write_text("OK BAD OK\nOK\n"), lambda p: list(read_tags(p))),
    "texts": ("a.txt", lambda p: p.write_text("a\nb\n"), lambda p: list(read_texts(p))),
    "routes of yaml": ("a.yaml", lambda p: p.write_text("a: b\nc: [d, e]\n"), read_routes),
    "routes of json": ("a.json", lambda p: p.write_text('{"a": ["b", "c"]}'), read_routes),
    "examples of routes": ("a.tsv", lambda p: p.write_text("a\tb\nc\t\n"), read_route_examples),
    "claims": (
        "a.csv",
        lambda p: p.write_text('claim,source\n"a",b\nc,"d\ne"\n'),
        lambda p: list(read_claims(p)),
    ),
}


def sigmoid(folder: Path) -> None:
    save_head(SigmoidHead(vocabulary_size=5, hidden_size=3), folder, prompt=PROMPT, backbone="a/b")


def error(folder: Path) -> None:
    save_head(ErrorHead(hidden_size=3, inner_size=2), folder, prompt=PROMPT, backbone="a/b")


def load_quality(folder: Path) -> object:
    return read_head_info(folder), load_head(folder, unembedding=no_unembedding)


def features(folder: Path) -> None:
    write_shard(folder, 0, {"vectors": torch.zeros(2, 3)})
    entry = json.loads((folder / "shard-00000.json").read_text())
    index = {"fingerprint": {"format version": 3}, "shards": [entry]}
    (folder / INDEX_FILE).write_text(json.dumps(index))


def read_features(folder: Path) -> object:
    return [read_shard(folder, entry) for entry in read_index(folder)["shards"]]


def checkpoint(folder: Path) -> None:
    place = folder / "checkpoint-3"
    place.mkdir()
    (place / "trainer_state.json").write_text('{"global_step": 3, "best_global_step": 2}')
    (place / "files.json").write_text('{"trainer_state.json": "0"}')


def run_file(folder: Path) -> None:
    TrainingRun(backbone="a", data=["b"], prompt=PROMPT, settings={"epochs": 3}).write(
        folder / "run.yaml"
    )


def job(folder: Path) -> None:
    result = {"written": 1, "rejected": 0, "resumed_from": 0, "seconds": 1.5, "figures": {}}
    JobRecord.of({"model": "a", "parts": {"b": 1}}, result=result).write(folder / "a.run.json")


def calibration(folder: Path) -> None:
    from headwise.bundled import locate

    content = (locate("tiny-en-de").head / "calibration.json").read_bytes()
    (folder / "calibration.json").write_bytes(content)


FOLDERS: dict[str, tuple[str, Callable[[Path], object], Callable[[Path], object]]] = {
    "head config": ("config.json", sigmoid, load_quality),
    "head weights": ("model.safetensors", sigmoid, load_quality),
    "error head config": ("error_head.json", error, load_error_head),
    "error head weights": ("error_head.safetensors", error, load_error_head),
    "task heads config": (
        "config.json",
        lambda folder: save_task_heads(all_heads(projected=True), folder),
        load_task_heads,
    ),
    "seed heads": (
        "task_heads.pt",
        lambda folder: save_seed_heads(all_heads(projected=True), folder),
        load_task_heads,
    ),
    "calibration": ("calibration.json", calibration, Calibration.load),
    "feature index": (INDEX_FILE, features, read_features),
    "feature shard": ("shard-00000.safetensors", features, read_features),
    "checkpoint state": ("checkpoint-3/trainer_state.json", checkpoint, newest_whole),
    "checkpoint list": ("checkpoint-3/files.json", checkpoint, newest_whole),
    "run file": ("run.yaml", run_file, lambda folder: TrainingRun.read(folder / "run.yaml")),
    "job record": ("a.run.json", job, lambda folder: JobRecord.read(folder / "a.run.json")),
}

# The same changes every time: a fault in other code than what was changed would stop its author.
# Without `derandomize`, and with more examples, they look for new ones.
# Bytes that mean something to one format or another
SPICE = st.sampled_from(
    [
        *(b"\xff", b"\x00", b"\xed\xa0\x80", b"\xff\xfe", b"\\ud800", b"[" * 300, b"9" * 5000),
        *(b"NaN", b"\t", b"\n", b"\r", b"{", b"}", b'"', b": ", b"-", b"<v>"),
        *(b"&a [*a]", b"2024-13-45"),
    ]
)
HOW = st.sampled_from(["flip", "cut", "insert", "double"])
CHANGES = st.lists(
    st.tuples(HOW, st.floats(0, 1), st.integers(1, 255), SPICE), min_size=1, max_size=3
)
# What may stand where a config says something
VALUES = st.sampled_from(
    [
        *(10**12, 10**30, -1, 0, 3, True, 1.5, float("nan"), float("inf"), None),
        *("x", "", "\ud800", [], {}, [[1]], {"a": {"b": 1}}),
    ]
)


def changed(content: bytes, changes: list[tuple[str, float, int, bytes]]) -> bytes:
    for how, where, byte, spice in changes:
        place = int(where * len(content))
        match how:
            case "flip" if place < len(content):
                flipped = bytes([content[place] ^ byte])
                content = content[:place] + flipped + content[place + 1 :]
            case "cut":
                content = content[:place]
            case "insert":
                content = content[:place] + spice + content[place:]
            case "double":
                content = content[:place] + content[place // 2 :]
    return content


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if not isinstance(value, dict | list):
        return
    for name, child in value.items() if isinstance(value, dict) else enumerate(value[:3]):
        yield (*above, name)
        yield from places(child, (*above, name))


def with_value(document: Any, way: tuple[Any, ...], value: Any) -> Any:
    document = json.loads(json.dumps(document))
    inner = document
    for name in way[:-1]:
        inner = inner[name]
    inner[way[-1]] = value
    return document


def ends_well(read: Callable[[Path], object], path: Path) -> None:
    with contextlib.suppress(HeadwiseError):
        read(path)


@pytest.mark.parametrize("kind", READERS)
def test_readers(kind: str, tmp_path: Path) -> None:
    name, write, read = READERS[kind]
    path = tmp_path / name
    write(path)
    good = path.read_bytes()
    assert read(path)

    @settings(max_examples=120, derandomize=True)
    @given(CHANGES)
    def check(changes: list[tuple[str, float, int, bytes]]) -> None:
        path.write_bytes(changed(good, changes))
        ends_well(read, path)

    check()


# PyTorch warns about what the changed bytes seem to say
@pytest.mark.filterwarnings("ignore:Detected pickle protocol", "ignore:.*TypedStorage")
@pytest.mark.parametrize("kind", FOLDERS)
def test_stored_files(kind: str, tmp_path: Path) -> None:
    name, write, read = FOLDERS[kind]
    write(tmp_path)
    path = tmp_path / name
    good = path.read_bytes()
    if "checkpoint" not in kind:
        assert read(tmp_path)

    @settings(max_examples=80, derandomize=True)
    @given(CHANGES)
    def check(changes: list[tuple[str, float, int, bytes]]) -> None:
        path.parent.mkdir(exist_ok=True)  # what is damaged is removed
        path.write_bytes(changed(good, changes))
        ends_well(read, tmp_path)

    check()


@pytest.mark.parametrize("kind", [k for k, (name, *_) in FOLDERS.items() if name.endswith("json")])
def test_other_values_in_stored_files(kind: str, tmp_path: Path) -> None:
    name, write, read = FOLDERS[kind]
    write(tmp_path)
    path = tmp_path / name
    good = json.loads(path.read_text("utf-8"))
    ways = list(places(good))

    @settings(max_examples=80, derandomize=True)
    @given(st.sampled_from(ways), VALUES)
    def check(way: tuple[Any, ...], value: Any) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(with_value(good, way, value)))
        ends_well(read, tmp_path)

    check()
