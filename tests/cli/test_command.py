"""The command as a user meets it: in a process of its own, with exit codes and messages."""

import json
import sys
from pathlib import Path

import pytest
import typer
from running import headwise

from headwise.cli import main

PAIRS = [
    ("A dog runs along the beach.", "Ein Hund läuft am Strand entlang."),
    ("Two children are playing football in the park.", "Zwei Kinder spielen im Park Fußball."),
    ("I have never been to Berlin.", "Ich war noch nie in Berlin."),
]


TRAIN = (
    *("train", "sigmoid", "-b", "tiny-en-de", "--data", "pairs.tsv", "--dev", "pairs.tsv"),
    *("-o", "out"),
)


@pytest.fixture
def pairs_file(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{s}\t{h}\n" for s, h in PAIRS), encoding="utf-8")
    return path


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_demo_prints_a_table_and_writes_a_report(tmp_path: Path) -> None:
    result = headwise("demo", cwd=tmp_path)
    assert "to check" in result.stdout
    report = (tmp_path / "headwise-demo.html").read_text("utf-8")
    assert "Ein Hund" in report
    assert "http://" not in report.replace("http://www.w3.org/", "")


def test_score_writes_rows_and_rejects(tmp_path: Path) -> None:
    lines = [f"{s}\t{h}".encode() for s, h in PAIRS]
    bad = [b"only one column", b"\xff\xfe\t\xff", b"A dog.\t", b"A dog.\tEin </s> Hund."]
    (tmp_path / "pairs.tsv").write_bytes(b"\n".join([*lines[:2], *bad, lines[2]]) + b"\n")
    result = headwise(
        "score", "pairs.tsv", "-o", "scored.jsonl", "-l", "token", cwd=tmp_path, code=3
    )
    scored = rows(tmp_path / "scored.jsonl")
    assert [(row["source"], row["hypothesis"]) for row in scored] == PAIRS
    assert all(0 < row["score"] < 1 for row in scored)
    rejects = rows(tmp_path / "scored.rejects.jsonl")
    assert [row["line"] for row in rejects] == [3, 4, 5, 6]
    assert "3 rows scored" in result.stderr
    assert "4 rejected" in result.stderr
    again = headwise(
        "score", "pairs.tsv", "-o", "scored.jsonl", "-l", "token", cwd=tmp_path, code=3
    )
    assert "Nothing left to do" in again.stderr
    assert rows(tmp_path / "scored.jsonl") == scored
    other = headwise("score", "pairs.tsv", "-o", "scored.jsonl", cwd=tmp_path, code=1)
    assert "--overwrite" in other.stderr


def test_score_reads_standard_input_and_writes_standard_output(tmp_path: Path) -> None:
    text = "".join(
        json.dumps({"src": s, "mt": h, "id": i}) + "\n" for i, (s, h) in enumerate(PAIRS)
    )
    result = headwise("score", "-", "-s", "softmax,rank", cwd=tmp_path, text=text)
    scored = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["id"] for row in scored] == [0, 1, 2]
    assert all(set(row["signals"]) == {"softmax", "rank"} for row in scored)


def test_score_two_text_files_to_parquet(tmp_path: Path) -> None:
    import pyarrow.parquet

    (tmp_path / "en.txt").write_text("\n".join(s for s, _ in PAIRS), encoding="utf-8")
    (tmp_path / "de.txt").write_text("\n".join(h for _, h in PAIRS), encoding="utf-8")
    headwise("score", "en.txt", "de.txt", "-o", "out.parquet", "-l", "word", cwd=tmp_path)
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["hypothesis"] for row in table] == [h for _, h in PAIRS]
    assert table[0]["words"][0]["text"] == "Ein"


def test_score_shows_and_reports_without_leaving_other_files(
    tmp_path: Path, pairs_file: Path
) -> None:
    result = headwise("score", pairs_file, "--view", "--html", "r.html", cwd=tmp_path)
    assert "Ein Hund läuft am Strand entlang." in result.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs.tsv", "r.html"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("score", "missing.tsv"), 1, "missing.tsv"),
        (("score", "pairs.tsv", "-s", "sigmod"), 2, "sigmoid"),
        (("score", "pairs.tsv", "-m", "tiny-en-fr"), 1, "tiny-en-de"),
        (("score", "pairs.tsv", "-o", "out.ods"), 1, "jsonl"),
        (("score", "pairs.tsv", "--html", "pairs.tsv"), 1, "write over its input"),
        (("score", "pairs.tsv", "--view", "-o", "-"), 2, "would mix"),
        (("score", "pairs.tsv", "--prompt", "towr"), 2, "tower"),
        (("score", "pairs.tsv", "-o", "no/such/folder/out.jsonl"), 1, "folder"),
        (("score",), 2, "Missing argument"),
        (("generate", ""), 1, "empty"),
        (
            (
                *("train", "sigmoid", "-b", "tiny-en-de", "--prompt", "tiny", "-o", "out"),
                *("--data", "pairs.tsv", "--data", "missing.tsv", "--dev", "pairs.tsv"),
            ),
            1,
            "missing.tsv",
        ),
        ((*TRAIN, "--full-vocabulary", "--negatives", "3"), 2, "drop --negatives"),
        ((*TRAIN, "--avoid", "nucleus"), 2, "largest-drop"),
        ((*TRAIN, "--head-type", "softmax"), 2, "contextual_unembedding_head"),
        ((*TRAIN, "--initialise", "nowhere"), 1, "'nowhere' is neither bundled nor a folder"),
        ((*TRAIN, "--config", "none.yaml"), 1, "none.yaml cannot be read"),
        ((*TRAIN, "--learning-rate", "-1"), 2, "must be positive"),
        ((*TRAIN, "--max-length", "3"), 1, "no pair that the model can read"),
        (
            ("train", "sigmoid", "-o", "out", "--data", "pairs.tsv"),
            2,
            "--backbone, --data and --dev",
        ),
        (("generate", "word " * 600), 1, "512"),
        (("export", "out", "--dtype", "int4"), 2, "bfloat16"),
        (("import", "nowhere", "out", "-b", "tiny-en-de"), 1, "nowhere"),
        (("frobnicate",), 2, "No such command"),
    ],
)
def test_wrong_use_says_what_is_right(
    tmp_path: Path, pairs_file: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    assert pairs_file.exists()
    assert message in headwise(*arguments, cwd=tmp_path, code=code).stderr.replace("\n", " ")


def test_generate(tmp_path: Path) -> None:
    result = headwise("generate", PAIRS[0][0], "--json", cwd=tmp_path)
    row = json.loads(result.stdout)
    assert "Hund" in row["hypothesis"]
    assert row["tokens"][0]["start"] == 0
    streamed = headwise("generate", "--stream", "-", cwd=tmp_path, text=PAIRS[0][0] + "\n")
    assert "Hund" in streamed.stdout


@pytest.mark.usefixtures("pairs_file")
def test_a_run_file_repeats_the_run(tmp_path: Path) -> None:
    options = ("--epochs", "2", "--batch-tokens", "64", "--avoid", "top-k:k=3", "--candidates", "0")
    first = headwise(*TRAIN[:-1], "first", *options, cwd=tmp_path)
    assert "Features are computed once" in first.stderr
    assert "step 2: dev loss" in first.stderr.replace("\n", " ")
    assert "Kept the head of step" in first.stderr
    again = headwise(
        *("train", "sigmoid", "--config", "first/run.yaml", "-o", "second"), cwd=tmp_path
    )
    assert first.stdout == again.stdout == ""
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("first", "second")]
    assert weights[0] == weights[1]
    other = headwise(
        *("train", "sigmoid", "--config", "first/run.yaml", "-o", "third", "--seed", "1"),
        cwd=tmp_path,
    )
    assert "Head, card, curves and run file: third" in other.stderr
    assert (tmp_path / "third" / "model.safetensors").read_bytes() != weights[0]


def test_a_conversation_is_trained_on_and_bad_rows_are_named(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hallo du"}] * 2
    lines = [json.dumps({"messages": turns}), json.dumps({"messages": []})]
    (tmp_path / "chat.jsonl").write_text("\n".join(lines), "utf-8")
    result = headwise(
        *("train", "sigmoid", "-b", "tiny-en-de", "--data", "chat.jsonl", "--dev", "chat.jsonl"),
        *("-o", "out"),
        cwd=tmp_path,
        code=1,
    )
    assert "chat.jsonl, line 2 left out" in result.stderr
    assert "A conversation needs a prompt of kind 'chat'" in result.stderr.replace("\n", " ")


def test_train_export_import_round_trip(tmp_path: Path, pairs_file: Path) -> None:
    headwise(
        *("train", "sigmoid", "-b", "tiny-en-de", "--prompt", "tiny", "--data", pairs_file),
        *("--dev", pairs_file, "-o", "head", "--epochs", "2", "--batch-tokens", "64"),
        cwd=tmp_path,
    )
    headwise("score", pairs_file, "-m", "head", "-o", "a.jsonl", cwd=tmp_path)
    headwise("export", "exported", "-m", "head", cwd=tmp_path)
    for name in ("README.md", "curves.png", "run.yaml"):
        assert (tmp_path / "exported" / name).read_bytes() == (
            tmp_path / "head" / name
        ).read_bytes()
    headwise("import", "exported", "imported", "-b", "tiny-en-de", cwd=tmp_path)
    headwise("score", pairs_file, "-m", "imported", "-o", "b.jsonl", cwd=tmp_path)
    first, second = rows(tmp_path / "a.jsonl"), rows(tmp_path / "b.jsonl")
    assert [row["score"] for row in first] == [row["score"] for row in second]
    assert (tmp_path / "head" / "README.md").is_file()


def test_an_interrupt_says_what_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()

    @app.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "app", app)
    monkeypatch.setattr(sys, "argv", ["headwise"])
    with pytest.raises(SystemExit) as stop:
        main.main()
    assert stop.value.code == 130
    assert "continue with the same command" in capsys.readouterr().err


def test_info(tmp_path: Path) -> None:
    assert "tiny-en-de" in headwise("info", cwd=tmp_path).stdout
