"""What is wrong with names and files is said before anything heavy is imported."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import contextlib, io, json, sys
from headwise.cli.main import main

found = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["headwise", *arguments]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            main()
        except SystemExit as stop:
            heavy = sorted({"torch", "transformers", "pyarrow"} & sys.modules.keys())
            found.append([stop.code, said.getvalue(), heavy])
print(json.dumps(found))
"""

TRAIN = ("--data", "nope.tsv", "--dev", "nope.tsv", "-o", "out")
SIGMOID = ("train", "sigmoid", "-b", "tiny-en-de", "--data", "p.tsv", "--dev", "p.tsv", "-o", "out")
ERRORS = ("train", "errors", *SIGMOID[2:])
NLI = ("train", "nli", "-b", "all-MiniLM-L6-v2", "--data", "n.tsv", "--dev", "n.tsv", "-o", "out")
ABSTENTION = ("train", "abstention", "--heads", "minilm-snli", *NLI[4:])
NO_COLUMN, NEEDED = "there is no `nope`", "--backbone, --data and --dev are needed"
NO_FILE, NO_MODEL = "There is no file", "neither bundled nor a folder"
FILES = {
    **dict.fromkeys(("en.txt", "pairs.unknown"), "A dog.\n"),
    "p.tsv": "source\thypothesis\nA dog.\tEin Hund.\n",
    "x.tsv": "a\tb\tc\n1\t2\t3\n",
    "keys.txt": "# no keys yet\n\n",
    "n.tsv": "premise\thypothesis\tlabel\nA dog.\tAn animal.\tentailment\n",
    "s.jsonl": '{"source": "A dog.", "hypothesis": "Ein Hund.", "score": 0.5}\n',
    "run.yaml": "settings: {epoch: 3}\n",
}
WRONG: list[tuple[tuple[str, ...], int, str]] = [
    (("score", "nope.tsv"), 1, NO_FILE),
    (("score", "en.txt", "nope.txt"), 1, NO_FILE),
    (("score", "pairs.unknown"), 1, "The format of `pairs.unknown` is not known"),
    (("score", "en.txt", "-m", "tiny-en-d"), 1, "Bundled: tiny-en-de."),
    (("score", "en.txt", "-m", "./models/mine"), 1, NO_MODEL),
    (("score", "en.txt", "--head", "a/b/c"), 1, NO_MODEL),
    (("score", "en.txt", "-s", "qualty"), 2, "choose from"),
    (("score", "en.txt", "--device", "gpu"), 2, "cuda:1"),
    (("score", "en.txt", "--dtype", "int8"), 2, "bfloat16"),
    (("score", "en.txt", "--prompt", "translation"), 2, "translate"),
    (("score", "en.txt", "--prompt", "{bos}Q: {source}"), 2, "must be a name or a JSON object"),
    (("score", "en.txt", "--prompt-variable", "German"), 2, "must be NAME=VALUE"),
    (("score", "en.txt", "--views"), 2, "No such option: --views"),
    (("evaluate", "nope.jsonl", "--gold", "da"), 1, NO_FILE),
    (("evaluate", "en.txt", "--gold-file", "nope.txt"), 1, NO_FILE),
    (("compare", "en.txt", "nope.jsonl"), 1, NO_FILE),
    (("calibrate", "nope.jsonl", "--in-place"), 1, NO_FILE),
    (("generate", "A dog.", "-m", "tiny"), 1, NO_MODEL),
    (("nli", "nope.tsv"), 1, NO_FILE),
    (("nli", "A dog.", "A cat.", "-m", "MiniLM"), 1, "Bundled: minilm-snli, all-MiniLM-L6-v2."),
    (("evaluate-nli", "nope.tsv"), 1, NO_FILE),
    (("embed", "nope.txt", "-o", "out.npy"), 1, NO_FILE),
    (("rerank", "A dog.", "nope.txt"), 1, NO_FILE),
    (("train", "sigmoid", "-b", "tiny-en-de", *TRAIN), 1, NO_FILE),
    (("train", "errors", "-b", "tiny", *TRAIN), 1, NO_MODEL),
    (("train", "nli", "-b", "all-MiniLM-L6-v2", *TRAIN), 1, NO_FILE),
    (("train", "abstention", "--heads", "minilm-snli", *TRAIN), 1, NO_FILE),
    # Columns
    (("score", "p.tsv", "--source-column", "nope"), 1, NO_COLUMN),
    (("score", "x.tsv"), 1, "none of which has a name that is known"),
    (("score", "p.tsv", "--encoding", "nope"), 1, "an encoding that Python knows"),
    (("evaluate", "p.tsv", "--gold", "nope"), 1, "no column `nope`"),
    (("evaluate", "s.jsonl", "--gold", "nope"), 1, "no column `nope`"),
    (("compare", "s.jsonl", "s.jsonl", "--gold", "nope"), 1, "no column `nope`"),
    (("calibrate", "p.tsv", "--in-place", "--source-column", "nope"), 1, NO_COLUMN),
    (("nli", "p.tsv"), 1, "there is no premise"),
    (("evaluate-nli", "n.tsv", "--label-column", "nope"), 1, NO_COLUMN),
    (("embed", "p.tsv", "-o", "out.npy", "--column", "nope"), 1, NO_COLUMN),
    ((*SIGMOID[:5], "x.tsv", *SIGMOID[6:]), 1, "none of which has a name that is known"),
    # Outputs
    (("score", "p.tsv", "-o", "out.doc"), 1, "The output format must be one of"),
    (("score", "p.tsv", "-o", "nowhere/out.tsv"), 1, "There is no folder `nowhere`"),
    (("score", "p.tsv", "-o", "p.tsv"), 1, "would write over its input"),
    (("nli", "n.tsv", "-o", "nowhere/out.tsv"), 1, "There is no folder `nowhere`"),
    (("embed", "en.txt", "-o", "out.doc"), 1, "npy, safetensors, jsonl, parquet"),
    (("embed", "en.txt", "-o", "nowhere/out.npy"), 1, "There is no folder `nowhere`"),
    ((*SIGMOID[:-1], "p.tsv"), 2, "is a file"),
    # Values of options
    (("score", "p.tsv", "--threshold", "2"), 2, "must be at most 1.0, got '2'"),
    (("score", "p.tsv", "--level", "text"), 2, "'text' is not one of 'sentence'"),
    (("score", "p.tsv", "--alternatives", "many"), 2, "must be a whole number, got 'many'"),
    (("score", "p.tsv", "-m", "empty"), 1, "neither a model nor a head"),
    (("score", "p.tsv", "-m", "minilm-snli"), 1, "scores no tokens"),
    (("nli", "n.tsv", "-m", "tiny-en-de"), 1, "knows nothing of entailment"),
    (("generate", "A dog.", "-s", "qualty"), 2, "choose from"),
    (("generate", "@nope.txt"), 1, NO_FILE),
    (("generate", "A dog.", "--stream", "--json"), 2, "leave one out"),
    (("generate", "A dog.", "--temperature", "2"), 2, "give --sample, too"),
    (("evaluate", "s.jsonl", "--synthetic", "crud"), 2, "crude, plausible, independent, got"),
    (("evaluate", "s.jsonl", "--units", "letter"), 2, "token, word, gap"),
    (("calibrate", "p.tsv", "--in-place", "--threshold", "best"), 2, "risk-0.1"),
    (
        ("calibrate", "p.tsv", "--in-place", "--synthetic", "crud"),
        2,
        "crude, plausible, several, sampled, got",
    ),
    (
        ("calibrate", "p.tsv", "--in-place", "--synthetic", "several", "--language", "fr"),
        2,
        "--language must be one of de, en, got 'fr'",
    ),
    ((*SIGMOID, "--avoid", "top"), 2, "`--avoid` must be one of largest-drop"),
    ((*SIGMOID, "--learning-rate", "-1"), 2, "`--learning-rate` must be positive, got -1.0"),
    ((*SIGMOID, "--positive-weight", "no"), 2, "must be 'balance'"),
    ((*SIGMOID, "--schedule", "cos"), 2, "`--schedule` must be one of linear"),
    ((*SIGMOID, "--report-to", "wand"), 2, "tensorboard, trackio, wandb"),
    ((*SIGMOID, "--initialise", "mine"), 1, NO_MODEL),
    ((*SIGMOID, "--config", "run.yaml"), 2, "There is no setting `epoch`"),
    ((*ERRORS, "--label-dev-share", "3"), 2, "`--label-dev-share` must be less than 1.0"),
    ((*ERRORS, "--language", "fr"), 2, "--language must be one of de, en, got 'fr'"),
    ((*ERRORS, "--start", "mine"), 1, NO_MODEL),
    ((*NLI, "--schedule", "cos"), 2, "`--schedule` must be one of linear"),
    ((*ABSTENTION, "--confidence", "2"), 2, "`--confidence` must be less than 1.0"),
    (("train", "sigmoid", "-o", "out"), 2, NEEDED),
    # Serving
    (("serve", "-m", "tiny"), 1, NO_MODEL),
    (("serve", "--entailment", "mini"), 1, "Bundled: minilm-snli, all-MiniLM-L6-v2."),
    (
        ("serve", "--api-key-file", "nope.txt"),
        1,
        "nope.txt cannot be read: No such file",
    ),
    (("serve", "--api-key-file", "keys.txt"), 1, "holds none; write one a line"),
    (("serve", "--api-key", "a b"), 1, "ASCII characters without spaces"),
    (("serve", "--max-body-bytes", "5"), 2, "must be at least 1024"),
    (("serve", "--port", "70000"), 2, "must be at most 65535"),
    (("serve", "--log-format", "xml"), 2, "'xml' is not one of 'json', 'text'"),
    (("serve", "--host", "192.0.2.1"), 1, "cannot listen at 192.0.2.1, port 8000"),
]


def test_mistakes_are_told_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    commands = [arguments for arguments, _, _ in WRONG]
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(commands)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    for (arguments, code, message), (stopped, said, heavy) in zip(
        WRONG, json.loads(result.stdout), strict=True
    ):
        words = " ".join(said.replace("│", " ").split())
        assert (stopped, heavy) == (code, []), (arguments, said)
        assert message in words, arguments
    assert {path.name for path in tmp_path.iterdir()} == {*FILES, "empty"}
