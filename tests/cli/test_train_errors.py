"""Training an error head as a user does it."""

import json
from pathlib import Path

import pytest
import yaml
from in_process import invoke

from headwise.bundled.examples import example_pairs
from headwise.heads import load_error_head

_SMALL = ("--copies", "1", "--epochs", "1", "--inner-size", "8", "--device", "cpu")
_MIX = "proportions: {replacement: 1, deletion: 1}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data beside each other: correct pairs, plain text, and marked texts."""
    folder = tmp_path_factory.mktemp("train")
    pairs = example_pairs()
    for name, part in (("train", pairs[8:]), ("dev", pairs[:8])):
        rows = [f"{pair.source}\t{pair.hypothesis}" for pair in part]
        if name == "train":
            rows.insert(1, "only one column")
        (folder / f"{name}.tsv").write_text("\n".join(["source\thypothesis", *rows]) + "\n")
        texts = ["hypothesis", *(pair.hypothesis for pair in part)]
        (folder / f"{name}.txt").write_text("\n".join(texts) + "\n")
    with (folder / "labels.jsonl").open("w") as stream:
        for pair in pairs:
            words = [[0, pair.hypothesis.index(" ")]]
            row = {
                "source": pair.source,
                "hypothesis": pair.hypothesis,
                "word_tags": {"words": words, "bad": [1], "bad_gaps": [0, 1]},
            }
            stream.write(json.dumps(row) + "\n")
    (folder / "mix.yaml").write_text(_MIX)
    return folder


def files(folder: Path) -> tuple[str | Path, ...]:
    return ("--data", folder / "train.tsv", "--dev", folder / "dev.tsv")


def test_a_head_is_trained_and_the_run_repeats(folder: Path) -> None:
    result = invoke(
        *("train", "errors", "-b", "tiny-en-de", "-o", folder / "head"),
        *("--mix", folder / "mix.yaml", *files(folder), *_SMALL),
    )
    for said in (
        "train.tsv, line 3 left out",
        "Dev AUROC of tokens by family: ",
        "AUROC of wrong tokens among all on 16 dev texts: error ",
        "--with-head tiny-en-de",
    ):
        assert said in result.stderr
    run = yaml.safe_load((folder / "head" / "error_head.yaml").read_text("utf-8"))
    assert run["settings"]["mix"]["proportions"] == {"replacement": 1.0, "deletion": 1.0}
    assert run["prompt"]["prompt"] == "{bos} {source}<|target|>"
    result = invoke(
        *("train", "errors", "--config", folder / "head" / "error_head.yaml"),
        *("-o", folder / "again", "--with-head", "tiny-en-de", "--device", "cpu"),
        *files(folder),
    )
    assert "sigmoid " in result.stderr
    assert "--with-head" not in result.stderr
    name = "error_head.safetensors"
    assert (folder / "head" / name).read_bytes() == (folder / "again" / name).read_bytes()
    assert (folder / "again" / "model.safetensors").is_file()


def test_labels_alone(folder: Path, tmp_path: Path) -> None:
    labels = ("--labels", folder / "labels.jsonl", "--label-epochs", "1", "--device", "cpu")
    result = invoke(
        *("train", "errors", "-b", "tiny-en-de", "-o", tmp_path, "--start", "none"),
        *("--variant", "causal", "--inner-size", "8", *labels),
    )
    assert "marked texts in" in result.stderr
    head = load_error_head(tmp_path)
    assert head is not None
    assert (head.variant, head.inner_size) == ("causal", 8)


def test_plain_text(folder: Path, tmp_path: Path) -> None:
    data = ("--data", folder / "train.txt", "--dev", folder / "dev.txt", "--no-source")
    result = invoke(
        *("train", "errors", "-b", "tiny-en-de", "-o", tmp_path, *data, "--language", "de"),
        *("--mix", folder / "mix.yaml", *_SMALL),
    )
    assert "Dev AUROC of tokens" in result.stderr
    run = yaml.safe_load((tmp_path / "error_head.yaml").read_text("utf-8"))
    assert run["prompt"]["prompt"] == "{bos}"
    assert run["settings"]["mix"]["language"] == "de"
    assert run["settings"]["mix"]["proportions"] == {"replacement": 1.0, "deletion": 1.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--data and --dev are needed"),
        (("--data", "train.tsv"), "--data and --dev are needed"),
        (("--labels", "labels.jsonl", "--start", "{here}"), "shape of its own; drop"),
        (("--data", "x", "--dev", "y", "--learning-rate", "-1"), "learning_rate"),
    ],
)
def test_wrong_usage_is_said(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    given = [argument.format(here=folder) for argument in arguments]
    result = invoke(
        *("train", "errors", "-b", "tiny-en-de", "-o", folder / "x", "--inner-size", "8", *given),
        code=2,
    )
    assert message in " ".join(result.stderr.replace("│", " ").split())
