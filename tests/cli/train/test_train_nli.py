"""Training heads of an encoder as a user does it."""

from pathlib import Path

import pytest
import yaml
from running import headwise
from tiny_encoders import tiny_encoder

from headwise.heads import load_task_heads

_WORDS = {"entailment": "is here", "neutral": "reads green", "contradiction": "sat on the mat"}
_SMALL = ("--epochs", "2", "--batch-size", "16", "--device", "cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder and data beside it; some errors are built in."""
    folder = tmp_path_factory.mktemp("train")
    model, tokenizer = tiny_encoder("bert")
    model.save_pretrained(folder / "encoder")
    tokenizer.save_pretrained(folder / "encoder")
    for name, count in (("train", 90), ("dev", 45)):
        lines = ["premise\thypothesis\tlabel"]
        for number in range(count):
            label = list(_WORDS)[number % 3]
            said = label if number % 7 else "neutral"
            lines.append(f"A dog runs {number // 3}.\tA cat {_WORDS[label]} {number}.\t{said}")
        if name == "train":
            lines[1:1] = ["A dog.\tA cat.\t-", "A dog.\tA cat.\tmaybe"]
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def test_both_heads_are_trained_and_the_run_repeats(folder: Path) -> None:
    files = ("--data", "train.tsv", "--dev", "dev.tsv")
    result = headwise(
        *("train", "nli", "-o", "heads", "--backbone", "encoder", *files),
        *("--reads", "pair+joint", "--hidden-size", "16", *_SMALL),
        cwd=folder,
    )
    assert "train.tsv, line 2 left out: It has no label that annotators agreed on" in result.stderr
    assert "train.tsv, line 3 left out: A label must be one of" in result.stderr
    assert "Trained on 90 pairs" in result.stderr
    assert "dev macro-F1" in result.stderr
    result = headwise(
        *("train", "abstention", "-o", "both", "--heads", "heads", *files),
        *("--folds", "2", "--coverage", "0.7", "--feature-folder", "heads/features", *_SMALL),
        cwd=folder,
    )
    assert "max_probability: AUROC of errors" in result.stderr
    assert "Answers 70% of the pairs" in result.stderr
    heads = load_task_heads(folder / "both")
    assert heads.abstention is not None
    assert heads.config.backbone == "encoder"
    run = yaml.safe_load((folder / "both" / "abstention.yaml").read_text("utf-8"))
    assert (run["heads"], run["settings"]["level"]) == ("heads", 0.7)
    headwise("train", "nli", "-o", "again", "--config", "heads/run.yaml", cwd=folder)
    first, again = (folder / name / "model.safetensors" for name in ("heads", "again"))
    assert first.read_bytes() == again.read_bytes()


def test_wrong_usage_is_said(folder: Path) -> None:
    result = headwise("train", "nli", "-o", "x", "--backbone", "encoder", cwd=folder, code=2)
    assert "--data and --dev are needed" in result.stderr
    result = headwise(
        *("train", "abstention", "-o", "x", "--coverage", "0.5", "--risk", "0.1"),
        cwd=folder,
        code=2,
    )
    assert "Give one of" in result.stderr
