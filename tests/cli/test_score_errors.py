"""The commands with a folder that holds a Sigmoid Head and an error head, or one of them."""

import json
from pathlib import Path

import pytest
import torch
from in_process import invoke

from headwise.bundled.registry import bundled_folder
from headwise.heads import ErrorHead, copy_head, read_head_info, save_error_head
from headwise.quality.calibration.record import Calibration

PAIRS = (
    ("A dog runs on the beach.", "Ein Hund läuft am Strandkorb."),
    ("A man reads a book.", "Ein Mann liest."),
    ("A woman sleeps in the park.", "Eine Frau schläft im Park."),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Heads of the bundled model in ``both`` and ``alone``, and pairs."""
    folder = tmp_path_factory.mktemp("error_signals")
    bundled = bundled_folder("tiny-en-de") / "head"
    prompt = read_head_info(bundled).prompt
    torch.manual_seed(0)
    head = ErrorHead(hidden_size=256, inner_size=8)
    copy_head(bundled, folder / "both", backbone="tiny-en-de")
    for name in ("both", "alone"):
        save_error_head(head, folder / name, prompt=prompt, backbone="tiny-en-de")
    rows = "".join(f"{source}\t{hypothesis}\n" for source, hypothesis in PAIRS)
    (folder / "pairs.tsv").write_text(rows, "utf-8")
    return folder


@pytest.mark.parametrize("name", ["both", "alone"])
def test_score_takes_the_error_head_by_default(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    rows = [
        json.loads(line) for line in invoke("score", "pairs.tsv", "-m", name).stdout.split("\n")[:3]
    ]

    assert [set(row["signals"]) for row in rows] == [{"error"}] * 3


def test_levels_views_and_report(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    command = ("score", "pairs.tsv", "-m", "both", "-s", "error,omission")

    for level in ("sentence", "word", "token"):
        invoke(*command, "-l", level, "-o", f"{level}.jsonl")
    shown = invoke(*command, "--view", "--html", "r.html", "--threshold", "0.6").stdout

    def rows(level: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in Path(f"{level}.jsonl").read_text("utf-8").splitlines()]

    assert all(set(row["signals"]) == {"error", "omission"} for row in rows("sentence"))
    assert {"error", "omission"} <= rows("word")[0]["words"][0].keys()
    assert {"error", "omission"} <= rows("token")[0]["tokens"][0].keys()
    assert "error: the error head's probability x that a token is wrong" in shown
    assert "with a probability above 0.40" in " ".join(shown.split())
    report = Path("r.html").read_text("utf-8")
    assert 'id="gap-limit">0.40<' in report
    assert '"gaps":[[' in report


def test_only_flagged_texts_are_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    command = ("score", "pairs.tsv", "-m", "both", "-s", "softmax")
    scored = [json.loads(line) for line in invoke(*command, "-l", "word").stdout.splitlines()]
    lowest = sorted((min(w["softmax"] for w in row["words"]), row["source"]) for row in scored)
    threshold = str((lowest[1][0] + lowest[2][0]) / 2)
    flagged = {source for _, source in lowest[:2]}
    limited = (*command, "--threshold", threshold)
    rows = [json.loads(line) for line in invoke(*limited).stdout.splitlines()]
    assert {row["source"] for row in rows if row["flagged"]} == flagged
    assert {row["threshold"] for row in rows} == {float(threshold)}
    shown = invoke(*limited, "--view", "--html", "flagged.html", "--flagged-only")
    page = Path("flagged.html").read_text("utf-8")
    for output in (shown.stdout, page):
        assert {source for _, source in lowest if source in output} == flagged
    assert "2 of 3 segments to check" in shown.stderr
    assert 'id="flagged"' not in page  # nothing is left to hide
    assert "for --view and --html" in invoke(*command, "--flagged-only", code=2).stderr


def test_generate_shows_gaps_and_streams(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    command = ("generate", PAIRS[0][0], "-m", "both", "-s", "error,omission")

    assert "stands where something seems to be missing" in " ".join(invoke(*command).stdout.split())
    assert "omission 0." in invoke(*command, "--stream").stdout


def test_calibrate_names_what_quality_is_made_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    subjects, verbs = ("Hund", "Mann", "Junge", "Vogel"), ("läuft", "schläft", "sitzt", "singt")
    places = ("am Strand", "im Park", "im Garten", "auf der Straße")
    lines = [f"{s} {v} {p}.\tEin {s} {v} {p}.\n" for s in subjects for v in verbs for p in places]
    Path("right.tsv").write_text("".join(lines), "utf-8")

    said = invoke(
        *("calibrate", "right.tsv", "--synthetic", "crude", "-m", "both", "-o", "calibrated"),
        *("--method", "platt"),
    ).stdout

    calibration = json.loads(Path("calibrated/calibration.json").read_text("utf-8"))
    made = Calibration.model_validate(calibration).described
    texts, ranked = made["texts"], made["ranking"]
    assert f"quality is made of {made['tokens']}; of texts {texts}; ranking by {ranked}" in said
    assert "ROC AUC of tokens" in " ".join(said.split())
    assert Path("calibrated/error_head.safetensors").is_file()
    row = json.loads(invoke("score", "pairs.tsv", "-m", "calibrated").stdout.splitlines()[0])
    assert set(row["signals"]) == {"quality"}

    shown = " ".join(invoke("demo", "-m", "calibrated", "-o", "demo.html").stdout.split())
    assert "omission" in shown
    assert "stands where something seems to be missing" in shown
    threshold = calibration["thresholds"]["mcc"]["value"]
    signals = '["quality","error","softmax","omission"]'
    config = f'"signals":{signals},"threshold":{threshold},"gapThreshold":0.5'
    assert config in Path("demo.html").read_text("utf-8")


def test_info_names_the_heads() -> None:
    said = invoke("info").stdout
    assert "Sigmoid Head" in said
    assert "quality made of" in said
