"""``--prompt-column``: one run over several languages, and rows that name none."""

import json
from pathlib import Path

import pytest
from in_process import invoke
from tiny_gguf import write_gguf
from tiny_models import PAIRS, byte_level, tiny_llama

from headwise.backbones import NAMED_PROMPTS, load_backbone
from headwise.cli.reading import read_training_pairs
from headwise.errors import DataError, OutputError, UnknownModelError

PROMPT = ("-m", "base", "--prompt", "bilingual", "--signals", "logprob")
COLUMNS = (
    "--prompt-column",
    "source_language=src_lang",
    "--prompt-column",
    "target_language=to_lang",
)
TRAINING = ("-b", "base", "--data", "pairs.tsv", "--dev", "pairs.tsv", "-o", "out")
LANGUAGES = (("en", "de"), ("English", "xx"), ("eng_Latn", "German"), ("en", ""))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and pairs with their languages."""
    folder = tmp_path_factory.mktemp("columns")
    tokenizer = byte_level()
    tokenizer.chat_template = None
    for part in (tiny_llama(tokenizer, num_hidden_layers=1), tokenizer):
        part.save_pretrained(folder / "base")
    rows = zip(PAIRS, LANGUAGES, strict=False)
    lines = ["source\thypothesis\tsrc_lang\tto_lang"] + ["\t".join((*p, *q)) for p, q in rows]
    (folder / "pairs.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def test_score_rejects_rows_and_remembers_the_columns() -> None:
    found = invoke("score", "pairs.tsv", *PROMPT, *COLUMNS, "-o", "o.jsonl", code=3)
    assert "Prompt: '<s>{src_lang}: {source}\\n{to_lang}: {hypothesis}\\n'" in found.stderr
    rejects = [json.loads(line) for line in Path("o.rejects.jsonl").read_text().splitlines()]
    assert [(one["line"], one["reason"].split(",")[0]) for one in rejects] == [
        (3, "`to_lang` is 'xx'"),
        (5, "`to_lang` is empty"),
    ]
    scored = [json.loads(line) for line in Path("o.jsonl").read_text().splitlines()]
    constant = ("--prompt-variable", "source_language=en", "--prompt-variable")
    invoke("score", "pairs.tsv", *PROMPT, *constant, "target_language=German", "-o", "c.jsonl")
    same = [json.loads(line) for line in Path("c.jsonl").read_text().splitlines()]
    assert [one["score"] for one in scored] == pytest.approx([same[0]["score"], same[2]["score"]])
    with pytest.raises(OutputError, match="`prompt columns target_language` was 'to_lang' and is"):
        invoke(
            "score", "pairs.tsv", *PROMPT, *COLUMNS[:3], "target_language=src_lang", "-o", "o.jsonl"
        )


def test_wrong_use_is_named() -> None:
    both = (*COLUMNS, "--prompt-variable", "target_language=German")
    assert "give one" in invoke("score", "pairs.tsv", *PROMPT, *both, code=2).stderr
    bare = invoke("score", "pairs.tsv", *PROMPT, "--prompt-column", "to_lang", code=2)
    assert "NAME=COLUMN" in bare.stderr
    empty = invoke("score", "pairs.tsv", *PROMPT, "--prompt-column", "target_language=", code=2)
    assert "NAME=COLUMN" in empty.stderr
    Path("a.txt").write_text("A dog.\n")
    with pytest.raises(DataError, match="two text files do not have"):
        invoke("score", "a.txt", "a.txt", *PROMPT, *COLUMNS)
    text = invoke("generate", "A dog.", *PROMPT, *COLUMNS, code=2)
    assert "give @FILE, a table" in text.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("score", "pairs.tsv", "-m", "base"),
        ("evaluate", "pairs.tsv", "-m", "base", "--synthetic", "independent"),
        ("calibrate", "pairs.tsv", "-m", "base", "-o", "out"),
        ("train", "sigmoid", *TRAINING),
        ("train", "errors", *TRAINING),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_column_that_no_row_has_is_named_before_a_model_is_loaded(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headwise.backbones.load_backbone", None)
    wrong = (*COLUMNS[:3], "target_language=language")
    with pytest.raises(DataError, match=r"`language`.*src_lang.*to_lang"):
        invoke(*command, "--prompt", "bilingual", *wrong)


@pytest.mark.parametrize("given", ["-", "@pairs.tsv"])
def test_generate_reads_rows(given: str) -> None:
    table = Path("pairs.tsv").read_text(encoding="utf-8") if given == "-" else ""
    short = ("--json", "--max-new-tokens", "3")
    found = invoke("generate", given, *PROMPT, *COLUMNS, *short, text=table, code=3)
    written = [json.loads(line) for line in found.stdout.splitlines()]
    assert [one["source"] for one in written] == [PAIRS[0][0], PAIRS[2][0]]
    assert [one["to_lang"] for one in written] == ["de", "German"]
    assert "Line 3 left out: `to_lang` is 'xx'" in found.stderr


def test_training_leaves_rows_out_by_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    prompt = NAMED_PROMPTS["bilingual"].bind_columns(
        source_language="src_lang", target_language="to_lang"
    )
    pairs = read_training_pairs(
        ["pairs.tsv"], read_by=(load_backbone("base", device="cpu"), prompt)
    )
    assert [pair.line for pair in pairs] == [2, 4]
    assert "pairs.tsv, line 3 left out: `to_lang` is 'xx'" in capsys.readouterr().err


def test_evaluate_names_rows_that_errors_cannot_be_put_into() -> None:
    few = ("--resamples", "100", "--aggregations", "mean")
    found = invoke(
        *("evaluate", "pairs.tsv", *PROMPT, *COLUMNS, *few, "--synthetic", "independent"), code=3
    )
    assert "Line 3 left out: `to_lang` is 'xx'" in found.stderr
    assert "Line 5 left out: `to_lang` is empty" in found.stderr
    assert "2 of 4 rows could not be read or scored" in found.stdout


def test_gguf_files_are_models_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWISE_CACHE", str(tmp_path / "cache"))
    for name in ("a.gguf", "b.gguf"):
        write_gguf(tmp_path / name)
    more = ("--prompt", "question", "--signals", "logprob")
    by_path = invoke("score", "pairs.tsv", "-m", tmp_path / "a.gguf", *more)
    chosen = invoke("score", "pairs.tsv", "-m", tmp_path, "--gguf-file", "a.gguf", *more)
    assert by_path.stdout == chosen.stdout
    with pytest.raises(UnknownModelError, match=r"a\.gguf, b\.gguf\. Choose one: give its path"):
        invoke("score", "pairs.tsv", "-m", tmp_path, *more)
    with pytest.raises(UnknownModelError, match="There is no GGUF file"):
        invoke("score", "pairs.tsv", "-m", tmp_path, "--gguf-file", "c.gguf", *more)
