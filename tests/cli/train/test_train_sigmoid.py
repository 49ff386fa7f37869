"""Training a Sigmoid Head whose threshold comes from a layer of its own, as a user does it."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from in_process import invoke
from typer.testing import Result

from headwise import QualityEstimator
from headwise.backbones import Unembedding
from headwise.bundled import locate
from headwise.bundled.examples import example_pairs
from headwise.errors import MismatchError
from headwise.heads import SharedUnembeddingHead, save_head


def plain(refused: Result) -> str:
    """What a box says, on one line."""
    return " ".join(refused.stderr.replace("│", " ").split())


def test_what_does_not_fit_is_said_before_weights_are_read(tmp_path: Path) -> None:
    tiny = locate("tiny-en-de").backbone
    shutil.copytree(tiny, tmp_path / "model")
    for weights in (tmp_path / "model").glob("*.safetensors"):
        weights.unlink()
    (tmp_path / "pairs.tsv").write_text("source\thypothesis\nA dog.\tEin Hund.\n", "utf-8")
    data = ("--data", tmp_path / "pairs.tsv", "--dev", tmp_path / "pairs.tsv")
    both = ("-b", tmp_path / "model", "-o", tmp_path / "no", "--device", "cpu")
    sigmoid = ("train", "sigmoid", *both, *data, "--head-type", "shared_unembedding_head")
    refused = invoke(*sigmoid, "--layers", "99", code=2)
    assert "whole numbers from -5 to 4" in plain(refused)
    errors = ("train", "errors", *both, *data, "--layers", "99")
    assert "whole numbers from -5 to 4" in plain(invoke(*errors, code=2))
    head = SharedUnembeddingHead(
        unembedding=Unembedding(torch.zeros(3, 256)), hidden_size=256, layers=(-1, 1), layer_count=6
    )
    save_head(head, tmp_path / "start")
    with pytest.raises(MismatchError, match="is for a model of 6 layers, the backbone has 4"):
        invoke(*sigmoid, "--initialise", tmp_path / "start")


def test_the_command_trains_scores_and_exports_such_a_head(tmp_path: Path) -> None:
    rows = [f"{pair.source}\t{pair.hypothesis}\n" for pair in example_pairs()]
    (tmp_path / "pairs.tsv").write_text("".join(["source\thypothesis\n", *rows]), "utf-8")
    data = ("--data", tmp_path / "pairs.tsv", "--dev", tmp_path / "pairs.tsv")
    train = ("train", "sigmoid", "-b", "tiny-en-de", *data, "--device", "cpu")
    refused = invoke(*train, "-o", tmp_path / "no", "--layers", "2", code=2)
    assert "leave `layers` out, or take the head type shared_unembedding_head" in plain(refused)
    shared = ("--head-type", "shared_unembedding_head", "--epochs", "1")
    assert not (tmp_path / "no").exists()
    invoke(*train, "-o", tmp_path / "head", *shared, "--layers", "2")
    scores = ("--head", tmp_path / "head", "--device", "cpu", "-o", tmp_path / "scored.jsonl")
    invoke("score", tmp_path / "pairs.tsv", "--model", "tiny-en-de", *scores)
    found = [json.loads(row)["score"] for row in (tmp_path / "scored.jsonl").open()]
    qe = QualityEstimator.from_pretrained(tmp_path / "head")
    expected = [scored.score for scored in qe.score_many(example_pairs())]
    assert found == pytest.approx(expected, abs=1e-5)
    written = invoke("export", tmp_path / "out", "--head", tmp_path / "head")
    assert "then call score(hidden_states, model.lm_head)" in " ".join(written.stdout.split())
    assert json.loads((tmp_path / "out/config.json").read_text())["layers"] == [-1, 2]
    invoke("import", tmp_path / "out", tmp_path / "in", "--backbone", "tiny-en-de")
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("in", "head")]
    assert weights[0] == weights[1]
