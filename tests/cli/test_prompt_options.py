"""Prompts on the command line: a source is never lost, rows are rejected, answers end."""

import json
from pathlib import Path

import pytest
from in_process import invoke
from tiny_models import CHATML, PAIRS, byte_level, tiny_llama

from headwise.errors import HeadwiseError, PromptError

REFUSING = "{% if messages[0].content == 'no' %}{{ raise_exception('not that') }}{% endif %}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without a chat template, one with a template, and pairs."""
    folder = tmp_path_factory.mktemp("prompts")
    tokenizer = byte_level()
    model = tiny_llama(tokenizer, num_hidden_layers=1)
    for name, template in (("base", None), ("chat", REFUSING + CHATML)):
        tokenizer.chat_template = template
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
    rows = [*PAIRS[:2], ("no", "Nein."), PAIRS[2]]
    lines = "".join(f"{source}\t{hypothesis}\n" for source, hypothesis in rows)
    (folder / "pairs.tsv").write_text(lines, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


@pytest.mark.parametrize(
    "command",
    [
        ("score", "pairs.tsv", "-m", "base"),
        ("generate", "A dog.", "-m", "base"),
        ("evaluate", "pairs.tsv", "-m", "base", "--synthetic", "crude"),
        (
            *("train", "sigmoid", "-b", "base", "--data", "pairs.tsv", "--dev", "pairs.tsv"),
            *("-o", "trained"),
        ),
        (
            *("train", "errors", "-b", "base", "--data", "pairs.tsv", "--dev", "pairs.tsv"),
            *("-o", "trained"),
        ),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_prompt_that_loses_the_source_is_refused(command: tuple[str, ...]) -> None:
    with pytest.raises(HeadwiseError, match=r"does not show the source.* --prompt question"):
        invoke(*command)


def test_a_prompt_is_chosen_by_name_and_printed_once() -> None:
    languages = ("source_language=English", "target_language=German")
    options = [word for one in languages for word in ("--prompt-variable", one)]
    said = invoke(
        *("score", "pairs.tsv", "-m", "base", "--prompt", "translate", *options),
        *("-s", "logprob", "-o", "scored.jsonl"),
    )
    shown = "Prompt: '<s>Translate from English into German.\\nEnglish: {source}\\nGerman: {hyp"
    assert said.stderr.count("Prompt: ") == 1
    assert shown in said.stderr
    rows = [json.loads(line) for line in Path("scored.jsonl").read_text("utf-8").splitlines()]
    assert [row["source"] for row in rows] == [PAIRS[0][0], PAIRS[1][0], "no", PAIRS[2][0]]


def test_a_long_prompt_is_shortened() -> None:
    prompt = {"kind": "text", "prompt": "{source} " + "word " * 60, "end": "{eos}"}
    said = invoke("generate", "A dog.", "-m", "base", "--prompt", json.dumps(prompt), "--json")
    (line,) = [line for line in said.stderr.splitlines() if line.startswith("Prompt: ")]
    assert len(line) < 300
    assert line.startswith("Prompt: '{source} word")
    assert line.endswith("{hypothesis}</s>'")


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("{source.nope}", "neither"),
        ('{"kind": "text", "prompt": "{source.nope}"}', "plain name"),
        ('{"kind": "text", "prompt": "{source"}', "do not pair"),
        ('{"kind": "text", "prompt": "\\ud800{source}"}', "prompt"),
        ("[" * 3, "no prompt named"),
        ('{"a":' * 100_000, "--prompt"),
    ],
    ids=["name", "attribute", "brace", "surrogate", "list", "deep"],
)
def test_what_is_no_prompt_is_named(prompt: str, message: str) -> None:
    try:
        said = invoke("score", "pairs.tsv", "-m", "base", "--prompt", prompt, code=2).stderr
    except PromptError as error:
        said = str(error)
    assert message in said
    assert "pydantic" not in said


def test_a_conversation_that_the_template_refuses_is_one_rejected_row() -> None:
    invoke(*("score", "pairs.tsv", "-m", "chat", "-s", "logprob", "-o", "chat.jsonl"), code=3)
    (reject,) = map(json.loads, Path("chat.rejects.jsonl").read_text("utf-8").splitlines())
    assert reject["line"] == 3
    assert "not that" in reject["reason"]
    assert len(Path("chat.jsonl").read_text("utf-8").splitlines()) == 3


def test_an_answer_ends_at_a_stop() -> None:
    command = ("generate", PAIRS[0][0], "--json", "--beams", "1")
    whole = json.loads(invoke(*command).stdout)
    word = whole["hypothesis"].split()[1]
    cut = json.loads(invoke(*command, "--stop", "zzz", "--stop", f" {word}").stdout)
    assert cut["hypothesis"] == whole["hypothesis"].split()[0]
    assert not any(token.get("special") for token in cut["tokens"])
    streamed = invoke("generate", PAIRS[0][0], "--stream", "--stop", f" {word}").stdout
    assert word not in streamed
    assert cut["hypothesis"] in streamed


def test_a_stream_prints_no_letter_twice() -> None:
    streamed = invoke("generate", PAIRS[0][0], "--stream", "-s", "logprob").stdout
    letters = "".join(line.split("  logprob")[0].strip() for line in streamed.splitlines())
    whole = json.loads(invoke("generate", PAIRS[0][0], "--beams", "1", "--json").stdout)
    assert letters.startswith(whole["hypothesis"].replace(" ", ""))
