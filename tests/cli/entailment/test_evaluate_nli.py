"""`headwise evaluate-nli` from end to end."""

import json
from pathlib import Path

import pytest
import torch
from running import headwise
from tiny_encoders import tiny_encoder

from headwise.choices import NLIFeatures
from headwise.heads import AbstentionHead, NLIHead, TaskHeads, TaskHeadsConfig, save_task_heads

LABELS = ("entailment", "neutral", "contradiction")
QUICK = ("--resamples", "60", "--device", "cpu", "--model", "encoder", "--heads", "heads")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder, heads and labelled pairs, two of which cannot be used."""
    folder = tmp_path_factory.mktemp("evaluate-nli")
    model, tokenizer = tiny_encoder("bert")
    model.save_pretrained(folder / "encoder")
    tokenizer.save_pretrained(folder / "encoder")
    torch.manual_seed(0)
    size = model.config.hidden_size
    heads = TaskHeads(
        config=TaskHeadsConfig(
            features=NLIFeatures.JOINT, hidden_size=size, embedding_size=size, backbone="encoder"
        ),
        nli=NLIHead(input_size=size, hidden_size=16),
        abstention=AbstentionHead(hidden_size=16, inner_size=8),
    )
    save_task_heads(heads, folder / "heads")
    rows = [
        {
            "sentence1": f"A dog runs {index // 3}.",
            "sentence2": f"A cat sat {index}.",
            "gold_label": LABELS[index % 3],
        }
        for index in range(24)
    ]
    write(folder / "good.jsonl", rows)
    bad = [{**rows[0], "gold_label": "-"}, {**rows[0], "sentence2": ""}]
    write(folder / "pairs.jsonl", rows + bad)
    return folder


def write(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def test_a_model_is_evaluated_with_a_report(folder: Path) -> None:
    result = headwise(
        *("evaluate-nli", "good.jsonl", *QUICK, "--report", "report", "--json", "out/r.json"),
        *("--title", "Our title", "--threshold", "0.5", "--language", "none"),
        cwd=folder,
    )
    assert result.stdout.startswith("Our title\n")
    for part in ("Macro-F1", "AURC", "max_probability", "Surest mistakes"):
        assert part in result.stdout
    assert all(len(line) <= 100 for line in result.stdout.splitlines())
    found = json.loads((folder / "out" / "r.json").read_text("utf-8"))
    assert found["protocol"] == "entailment"
    assert {"classification", "classes", "confusion", "abstention", "slices"} <= set(
        found["tables"]
    )
    assert (folder / "report" / "confusion.png").is_file()
    assert "Our title" in (folder / "report" / "index.html").read_text("utf-8")


def test_bad_rows_are_named(folder: Path) -> None:
    result = headwise("evaluate-nli", "pairs.jsonl", *QUICK, cwd=folder, code=3)
    assert "Line 25 left out: It has no label that annotators agreed on" in result.stderr
    assert "Line 26 left out:" in result.stderr
    assert "2 rows left out." in result.stderr


def test_an_unknown_language_is_wrong_usage(folder: Path) -> None:
    headwise("evaluate-nli", "good.jsonl", *QUICK, "--language", "xx", cwd=folder, code=2)
