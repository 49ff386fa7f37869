"""Embeddings of a file: every vector belongs to its line, whatever was left out."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import torch
from safetensors.torch import load_file

from headwise.backbones import EncodedText
from headwise.entailment import EntailmentModel
from headwise.entailment import embedding_job as embed_module
from headwise.entailment.embedding_job import embed_file
from headwise.errors import DataError, OutputError, TextError
from headwise.files import only_writer_of

TEXTS = {1: "A dog runs.", 4: "The cat sat on the mat.", 6: "A dog.", 7: "It is a lovely evening."}
CONTENT = (
    b"A dog runs.\n\nStra\xdfe\nThe cat sat on the mat.\n" + b"A dog. " * 60 + b"\nA dog.\n"
    b"It is a lovely evening.\n\n"
)


class Killed(BaseException):
    """Nothing runs any more: what is to be cleaned up stays."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def expected(fitted: EntailmentModel) -> torch.Tensor:
    return fitted.embed(list(TEXTS.values()))


@pytest.mark.parametrize("suffix", ["npy", "safetensors", "jsonl", "parquet"])
def test_vectors_keep_their_lines(
    source: Path,
    tmp_path: Path,
    fitted: EntailmentModel,
    expected: torch.Tensor,
    suffix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embed_module, "_WINDOW", 3)
    output = tmp_path / f"v.{suffix}"
    done = embed_file(fitted, source, output)
    assert (done.embedded, done.size, done.rejected) == (4, 32, 3)
    rejects = [json.loads(line) for line in done.rejects.read_text("utf-8").splitlines()]
    assert [reject["line"] for reject in rejects] == [2, 3, 5]
    assert done.rejects.name == (
        "v.rejects.jsonl" if suffix == "jsonl" else f"{output.name}.rejects.jsonl"
    )
    if suffix == "npy":
        vectors = torch.from_numpy(np.load(output, allow_pickle=False))
        lines = np.load(tmp_path / "v.lines.npy").tolist()
    elif suffix == "safetensors":
        tensors = load_file(output)
        vectors, lines = tensors["vectors"], tensors["lines"].tolist()
    else:
        if suffix == "jsonl":
            rows = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
        else:
            rows = pyarrow.parquet.read_table(output).to_pylist()
        assert [row["text"] for row in rows] == list(TEXTS.values())
        vectors = torch.tensor([row["embedding"] for row in rows])
        lines = [row["line"] for row in rows]
    assert lines == list(TEXTS)
    torch.testing.assert_close(vectors, expected, atol=1e-5, rtol=0)


def test_nothing_is_replaced_unasked(source: Path, tmp_path: Path, fitted: EntailmentModel) -> None:
    output = tmp_path / "v.npy"
    embed_file(fitted, source, output)
    before = output.read_bytes()
    (tmp_path / "one.txt").write_text("A dog.\n")
    with pytest.raises(OutputError, match="--overwrite"):
        embed_file(fitted, tmp_path / "one.txt", output)
    assert output.read_bytes() == before
    done = embed_file(fitted, tmp_path / "one.txt", output, overwrite=True)
    assert (done.embedded, done.rejected) == (1, 0)
    assert np.load(output).shape == (1, 32)
    assert np.load(tmp_path / "v.lines.npy").tolist() == [1]
    assert not done.rejects.exists()


def test_a_column_of_a_table_and_no_texts_at_all(tmp_path: Path, fitted: EntailmentModel) -> None:
    (tmp_path / "in.jsonl").write_text('{"body": "A dog."}\n{"body": 3}\n{"text": "x"}\n')
    done = embed_file(fitted, tmp_path / "in.jsonl", tmp_path / "a.jsonl", column="body")
    assert (done.embedded, done.rejected) == (1, 2)
    (tmp_path / "empty.txt").touch()
    for suffix in ("npy", "safetensors", "jsonl", "parquet"):
        done = embed_file(fitted, tmp_path / "empty.txt", tmp_path / f"b.{suffix}")
        assert (done.embedded, done.size, done.rejected) == (0, 32, 0)


def test_what_cannot_be(source: Path, tmp_path: Path, fitted: EntailmentModel) -> None:
    (tmp_path / "in.tsv").write_text("text\tid\n")
    (tmp_path / "texts.npy").symlink_to(source)
    for given, output, error, message in (
        (source, "v.csv", DataError, "npy, safetensors, jsonl, parquet"),
        (source, "missing/v.npy", OutputError, "no folder"),
        (tmp_path / "in.tsv", "v.npy", DataError, "name the one that holds the texts"),
        (tmp_path / "none.txt", "v.npy", DataError, "no file"),
        (source, "texts.npy", OutputError, "write over its input"),
    ):
        with pytest.raises(error, match=message):
            embed_file(fitted, given, tmp_path / output)
    assert source.read_bytes() == CONTENT
    assert not (tmp_path / "v.npy").exists()


def test_of_two_processes_the_second_is_refused(
    source: Path, tmp_path: Path, fitted: EntailmentModel
) -> None:
    output = tmp_path / "v.npy"
    with only_writer_of(output), pytest.raises(OutputError, match=r"is writing .*v\.npy;"):
        embed_file(fitted, source, output)
    embed_file(fitted, source, output)
    assert np.load(output).shape == (4, 32)


def test_what_fails_before_it_writes_leaves_nothing(source: Path, tmp_path: Path) -> None:
    def fail(_: object) -> torch.Tensor:
        raise DataError("no")

    model: Any = SimpleNamespace(**{**vars(QUICK), "embed": fail})
    before = set(tmp_path.iterdir())
    with pytest.raises(DataError, match="no"):
        embed_file(model, source, tmp_path / "v.npy")
    assert set(tmp_path.iterdir()) == before


def test_a_folder_is_never_replaced(source: Path, tmp_path: Path, fitted: EntailmentModel) -> None:
    (tmp_path / "out.npy").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        embed_file(fitted, source, tmp_path / "out.npy", overwrite=True)


def encode_quickly(texts: Sequence[str], **_: str) -> list[EncodedText | TextError]:
    return [
        EncodedText((0,) * len(text)) if len(text) < 99 else TextError("Long.") for text in texts
    ]


def embed_quickly(codes: Sequence[EncodedText]) -> torch.Tensor:
    return torch.tensor([[len(code)] for code in codes], dtype=torch.float32).reshape(-1, 1)


QUICK: Any = SimpleNamespace(
    backbone=SimpleNamespace(encode=encode_quickly),
    encoder=SimpleNamespace(embed=embed_quickly),
    embed=embed_quickly,
)


@pytest.mark.parametrize("suffix", ["npy", "jsonl"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_killed_at_every_step_of_writing(
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    overwrite: bool,
) -> None:
    output = tmp_path / f"v.{suffix}"
    rejects = tmp_path / ("v.rejects.jsonl" if suffix == "jsonl" else "v.npy.rejects.jsonl")
    (tmp_path / "old.txt").write_text("\nA dog.\n")
    for number in range(1, 30):
        if overwrite:
            embed_file(QUICK, tmp_path / "old.txt", output, overwrite=True)
        with monkeypatch.context() as patch:
            kill_at_file_operation(patch, number)
            try:
                embed_file(QUICK, source, output, overwrite=overwrite)
            except Killed:
                killed = True
            else:
                killed = False
        if output.exists():  # the old files or the new ones, never some of both
            whole = np.load(output) if suffix == "npy" else output.read_bytes().splitlines()
            expected = (1, 1) if len(whole) == 1 else (4, 3)
            assert (len(whole), len(rejects.read_bytes().splitlines())) == expected
            if suffix == "npy":
                assert len(np.load(tmp_path / "v.lines.npy")) == len(whole)
        if not killed:
            assert number > 5
            return
        assert embed_file(QUICK, source, output, overwrite=output.exists()).embedded == 4
        for path in tmp_path.glob("v.*"):
            path.unlink()
    pytest.fail("It was never let through.")


def kill_at_file_operation(patch: pytest.MonkeyPatch, number: int) -> None:
    steps = 0

    def stopping(operation: Callable[..., Any]) -> Callable[..., Any]:
        def step(path: Path, *args: Any, **options: Any) -> Any:
            nonlocal steps
            steps += path.name.startswith("v.")
            if steps == number:
                raise Killed
            return operation(path, *args, **options) if steps < number else None

        return step

    for name in ("open", "write_bytes", "replace", "unlink"):
        patch.setattr(Path, name, stopping(getattr(Path, name)))
