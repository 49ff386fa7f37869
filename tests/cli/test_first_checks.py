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
NO_FILE, NO_MODEL = "There is no file", "neither bundled nor a folder"
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
]


def test_mistakes_are_told_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    for name in ("en.txt", "pairs.unknown"):
        (tmp_path / name).write_text("A dog.\n", encoding="utf-8")
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
    assert sorted(path.name for path in tmp_path.iterdir()) == ["en.txt", "pairs.unknown"]
