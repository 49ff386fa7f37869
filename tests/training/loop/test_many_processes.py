"""Two processes under torchrun against one: the same losses, the same head."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from running import headwise
from safetensors.torch import load_file

from headwise.bundled.examples import example_pairs

_OPTIONS = (
    *("--epochs", "3", "--batch-tokens", "160", "--learning-rate", "3e-3"),
    # Only one process can update touched rows alone, which is another Adam
    *("--evaluate-every", "1", "--row-updates", "all", "--keep-checkpoints"),
)


def arguments(data: Path, output: Path, *options: str) -> list[str]:
    files = ["--data", str(data), "--dev", str(data), "--output", str(output)]
    return ["train", "sigmoid", "--backbone", "tiny-en-de", *files, *_OPTIONS, *options]


def train_in_two(data: Path, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    # A rendezvous on a free port of its own
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return subprocess.run(
        [*torchrun, "--nproc-per-node", "2", "-m", "headwise", *arguments(data, output, *options)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def losses(output: Path) -> tuple[list[float], list[float]]:
    """Training losses of every step that was logged, and dev losses."""
    states = sorted(
        output.glob("checkpoints/*/trainer_state.json"), key=lambda p: int(p.parent.name[11:])
    )
    history = json.loads(states[-1].read_text())["log_history"]
    return [r["loss"] for r in history if "loss" in r], [
        r["eval_loss"] for r in history if "eval_loss" in r
    ]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "pairs.tsv"
    # An odd number of pairs, so that some batches cannot be halved
    rows = [f"{pair.source}\t{pair.hypothesis}\n" for pair in example_pairs()[:9]]
    path.write_text("".join(rows), "utf-8")
    return path


@pytest.fixture(scope="module")
def one(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("one")
    headwise(*arguments(data, output), cwd=data.parent)
    return output


@pytest.mark.parametrize("features", ["cache", "live"])
def test_two_processes_train_the_head_of_one(
    data: Path, one: Path, tmp_path: Path, features: str
) -> None:
    options = ["--features", features, "--feature-dtype", "bfloat16"]
    if features == "live":  # the first run read bfloat16 from a cache
        # A head of two layers in the place of the first run's
        options += ["--head-type", "shared_unembedding_head", "--layers", "2"]
        one = tmp_path / "one"
        headwise(*arguments(data, one, *options), cwd=tmp_path)
    two = tmp_path / "two"
    result = train_in_two(data, two, *options)
    assert result.returncode == 0, result.stderr
    for alone, shared in zip(losses(one), losses(two), strict=True):
        assert alone
        assert shared == pytest.approx(alone, rel=1e-5, abs=1e-5)
    first, second = (load_file(folder / "model.safetensors") for folder in (one, two))
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        torch.testing.assert_close(second[name], tensor, rtol=0, atol=1e-3)
    # One process speaks, the other is silent
    assert result.stderr.count("Head, card, curves and run file") == 1
    if features == "cache":
        names = sorted(path.name for path in (one / "features/train").iterdir())
        assert names == sorted(path.name for path in (two / "features/train").iterdir())
        for name in names:
            assert (one / "features/train" / name).read_bytes() == (
                two / "features/train" / name
            ).read_bytes()


def test_a_failure_in_several_processes_says_why(data: Path, tmp_path: Path) -> None:
    result = train_in_two(data, tmp_path, "--row-updates", "touched")
    assert result.returncode != 0
    assert "there is one process" in result.stderr
