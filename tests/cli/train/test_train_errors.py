"""Training an error head as a user does it."""

import json
from pathlib import Path

import pytest
import yaml
from in_process import invoke

import headwise
from headwise.backbones import load_backbone, parse_prompt
from headwise.bundled import locate
from headwise.bundled.examples import example_pairs
from headwise.cli.reading import read_training_pairs
from headwise.errors import MismatchError
from headwise.heads import ErrorHead, SigmoidHead, load_error_head, save_error_head, save_head
from headwise.quality.calibration.record import Calibration
from headwise.training.errors import ErrorTraining, LabelStage
from headwise.training.errors.setup import folder_with_sigmoid_head

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
            # The first half of the text, turned round, so that there are enough marks to calibrate
            # with, and signals that know them
            half = pair.hypothesis.index(" ", len(pair.hypothesis) // 2)
            words = [[0, half]]
            row = {
                "source": pair.source,
                "hypothesis": pair.hypothesis[:half][::-1] + pair.hypothesis[half:],
                "word_tags": {"words": words, "bad": [1], "bad_gaps": [0, 1]},
            }
            stream.write(json.dumps(row) + "\n")
    (folder / "mix.yaml").write_text(_MIX)
    head = ErrorHead(hidden_size=256, inner_size=4)
    save_error_head(head, folder / "start", prompt=None, backbone="tiny-en-de")
    return folder


def weights(folder: Path) -> bytes:
    return (folder / "error_head.safetensors").read_bytes()


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
        "The default signal is ",
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
    assert weights(folder / "head") == weights(folder / "again")
    assert (folder / "again" / "model.safetensors").is_file()


def test_labels_alone_from_random_weights_and_again(folder: Path, tmp_path: Path) -> None:
    first, marked = tmp_path / "first", folder / "labels.jsonl"
    labels = ("--labels", marked, "--labels-dev", marked, "--label-epochs", "1", "--device", "cpu")
    result = invoke(
        *("train", "errors", "-b", "tiny-en-de", "-o", first, "--start", "none"),
        *("--variant", "causal", "--inner-size", "8", *labels),
    )
    assert "marked texts in" in result.stderr
    head = load_error_head(first)
    assert head is not None
    assert (head.variant, head.inner_size) == ("causal", 8)
    calibration = Calibration.load(first)
    assert calibration is not None
    assert "Measure again with texts of your own" in calibration.provenance.notes[-1]
    assert "measure again with texts of your own" in (first / "error_head.md").read_text("utf-8")
    config = ("--config", first / "error_head.yaml", "--device", "cpu")
    invoke("train", "errors", *config, "-o", tmp_path / "again")  # nobody says --start
    assert weights(tmp_path / "again") == weights(first)


def test_python_leaves_the_same_files(folder: Path, tmp_path: Path) -> None:
    by_command, by_call = tmp_path / "command", tmp_path / "call"
    marked = ("--labels", folder / "labels.jsonl", "--labels-dev", folder / "labels.jsonl")
    stage = ("--label-epochs", "1", "--inner-size", "8", "--device", "cpu")
    invoke(
        *("train", "errors", "-b", "tiny-en-de", "-o", by_command, "--start", "none"),
        *("--with-head", "tiny-en-de", *marked, *stage),
    )
    place = locate("tiny-en-de")
    backbone = load_backbone(place.backbone, device="cpu")
    pairs = read_training_pairs([str(folder / "labels.jsonl")])
    names = [str(folder / "labels.jsonl")]
    trained = headwise.train_error_head(
        backbone,
        [],
        [],
        by_call,
        prompt=parse_prompt("tiny"),
        backbone_name="tiny-en-de",
        settings=ErrorTraining(inner_size=8, labels=LabelStage(epochs=1)),
        labels=pairs,
        label_dev=pairs,
        sigmoid_head=place.head,
        label_data=names,
        label_dev_data=names,
    )
    assert trained.calibration == Calibration.load(by_command) == Calibration.load(by_call)
    found = {
        path: sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())
        for path in (by_command, by_call)
    }
    assert found[by_call] == found[by_command]
    assert "calibration.json" in found[by_call]
    assert weights(by_call) == weights(by_command)
    for name in ("calibration.json", "error_head.yaml", "model.safetensors"):
        assert (by_call / name).read_bytes() == (by_command / name).read_bytes()


def test_plain_text(folder: Path, tmp_path: Path) -> None:
    data = ("--data", folder / "train.txt", "--dev", folder / "dev.txt", "--no-source")
    first = tmp_path / "first"
    result = invoke(
        *("train", "errors", "-b", "tiny-en-de", "-o", first, *data, "--language", "de"),
        *("--mix", folder / "mix.yaml", *_SMALL),
    )
    assert "Dev AUROC of tokens" in result.stderr
    assert "--with-head" not in result.stderr  # that Sigmoid Head reads sources
    run = yaml.safe_load((first / "error_head.yaml").read_text("utf-8"))
    assert run["no_source"]
    assert run["prompt"]["prompt"] == "{bos}"
    assert run["settings"]["mix"]["language"] == "de"
    assert run["settings"]["mix"]["proportions"] == {"replacement": 1.0, "deletion": 1.0}
    assert 'qe.score(None, "hypothesis"' in (first / "error_head.md").read_text("utf-8")
    config = ("--config", first / "error_head.yaml", "--device", "cpu")
    again = tmp_path / "again"
    with pytest.raises(MismatchError, match="reads another prompt than the Sigmoid Head"):
        invoke("train", "errors", *config, "-o", again, "--with-head", "tiny-en-de")
    assert not again.exists()
    invoke("train", "errors", *config, "-o", again)
    assert weights(again) == weights(first)


def test_a_sigmoid_head_in_the_output_stays(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    place = locate("tiny-en-de")
    bundled = place.head
    assert folder_with_sigmoid_head(place, folder / "start", None) is None
    assert folder_with_sigmoid_head(place, tmp_path, "tiny-en-de") == bundled
    save_head(SigmoidHead(vocabulary_size=5, hidden_size=3), tmp_path)
    assert folder_with_sigmoid_head(place, tmp_path, None) == tmp_path
    assert not caplog.messages
    assert folder_with_sigmoid_head(place, tmp_path, "tiny-en-de") == tmp_path
    assert "has a Sigmoid Head, which stays" in caplog.text


def test_a_sigmoid_head_of_another_model_is_refused_before_training(
    folder: Path, tmp_path: Path
) -> None:
    other = SigmoidHead(vocabulary_size=5, hidden_size=3)
    save_head(other, tmp_path / "head")
    arguments = ("train", "errors", "-b", "tiny-en-de", *files(folder), "--device", "cpu")
    given = ("-o", tmp_path / "new", "--with-head", tmp_path / "head")
    for output in (("-o", tmp_path / "head"), given):
        with pytest.raises(MismatchError, match="vocabulary 5 and hidden size 3, the backbone"):
            invoke(*arguments, *output)
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "head" / "error_head.yaml").exists()


def test_a_prompt_for_a_sigmoid_head_must_be_that_of_the_error_head(
    folder: Path, tmp_path: Path
) -> None:
    head = ErrorHead(hidden_size=256, inner_size=4)
    save_error_head(head, tmp_path, prompt=parse_prompt("raw").model_dump(), backbone="tiny-en-de")
    with pytest.raises(MismatchError, match=r"error head in .* reads another prompt"):
        invoke("train", "sigmoid", "-b", "tiny-en-de", *files(folder), "-o", tmp_path)
    assert not (tmp_path / "run.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--data and --dev are needed"),
        (("--data", "{here}/train.tsv"), "--data and --dev are needed"),
        (("--labels", "{here}/labels.jsonl", "--start", "{here}/plain"), "has no error head"),
        (("--labels", "{here}/labels.jsonl", "--start", "{here}/start"), "shape of its own; drop"),
        (
            ("--labels", "{here}/labels.jsonl", "--start", "none", "--with-head", "{here}/start"),
            "no Sigmoid Head",
        ),
        (
            ("--data", "{here}/train.tsv", "--dev", "{here}/dev.tsv", "--learning-rate", "-1"),
            "--learning-rate",
        ),
        (("--data", "{here}/train.tsv", "--dev", "{here}/dev.tsv", "--layers", "9"), "got [9]"),
        (("--data", "{here}/train.tsv", "--dev", "{here}/dev.tsv", "--layers", "x"), "got ['x']"),
    ],
)
def test_wrong_usage_is_said(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    (folder / "plain").mkdir(exist_ok=True)
    (folder / "plain" / "config.json").write_text("{}")
    given = [argument.format(here=folder) for argument in arguments]
    result = invoke(
        *("train", "errors", "-b", "tiny-en-de", "-o", folder / "x", "--inner-size", "8", *given),
        code=2,
    )
    assert message in " ".join(result.stderr.replace("│", " ").split())
