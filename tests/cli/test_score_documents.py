"""``headwise score`` with translators' documents, with the bundled model and another one."""

import json
from pathlib import Path

import pytest
from in_process import invoke
from tiny_models import byte_level, tiny_llama

from headwise.errors import DataError

UNITS = (
    '<trans-unit id="1"><source>A dog runs along the beach.</source>'
    "<target>Ein Hund läuft am <g id='1'>Bahnhof</g> entlang.</target></trans-unit>\n"
    '<trans-unit id="2" translate="no"><source>a</source><target>b</target></trans-unit>\n'
    '<trans-unit id="3"><source>a</source></trans-unit>\n'
    '<trans-unit id="4" approved="yes"><source>A cat.</source><target>Eine Katze.</target>'
    "</trans-unit>\n"
)
XLIFF = (
    '<xliff xmlns="urn:oasis:names:tc:xliff:document:1.2" version="1.2">\n<file original="a.txt" '
    f'source-language="en-GB" target-language="de" datatype="x"><body>\n{UNITS}</body></file>'
    "</xliff>\n"
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("job.xlf").write_text(XLIFF, encoding="utf-8")
    Path("pairs.tsv").write_text("a\tb\n")


def test_a_document_comes_back_with_scores() -> None:
    said = invoke("score", "job.xlf", "-o", "scored.xlf", "--mark-spans", "--set-state").stderr
    assert "1 rows scored, 0 rejected, 1 of 1 segments to check" in said
    assert "3 skipped: 1 not to be translated, 1 without a translation, 1 approved" in said
    written = Path("scored.xlf").read_text(encoding="utf-8")
    assert 'its:annotatorsRef="mt-confidence|headwise:tiny-en-de"' in written
    assert 'state="needs-review-translation"' in written
    assert ">Bahnhof</mrk></g>" in written
    assert 'check: "Bahnhof"' in written
    assert (
        "Nothing left to do"
        in invoke("score", "job.xlf", "-o", "scored.xlf", "--mark-spans", "--set-state").stderr
    )


def test_rows_views_and_states() -> None:
    rows = invoke(
        "score", "job.xlf", "--segment-states", "none", "--target-language", "German"
    ).stdout
    units = [json.loads(line) for line in rows.splitlines()]
    assert [(row["unit"], row["target_language"]) for row in units] == [
        ("1", "German"),
        ("4", "German"),
    ]
    shown = invoke("score", "job.xlf", "--view", "--html", "r.html").stdout
    assert "Bahnhof" in shown
    assert "Bahnhof" in Path("r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pairs.tsv", "--segment-states", "final"), "the input is none"),
        (("pairs.tsv", "--set-state", "-o", "o.tsv"), "the input is none"),
        (("job.xlf", "--set-state", "-o", "o.jsonl"), "change a document"),
        (("job.xlf", "--mark-spans"), "change a document"),
        (("job.xlf", "--segment-states", " , "), "--segment-states must name"),
        (("job.xlf", "job.xlf"), "holds both texts"),
        (("a.po", "-o", "b.po", "--mark-spans"), "--mark-spans is for XLIFF"),
        (("a.tmx", "-o", "b.tmx", "--set-state"), "--set-state is not for TMX"),
    ],
)
def test_wrong_use_is_named(arguments: tuple[str, ...], said: str) -> None:
    Path("a.po").write_text('msgid "a"\nmsgstr "b"\n')
    Path("a.tmx").write_text('<tmx version="1.4"><header srclang="en"/><body/></tmx>')
    assert said in " ".join(invoke("score", *arguments, code=2).stderr.replace("│", "").split())


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("score", "pairs.tsv", "-o", "o.xlf"), "the input is no document in XLIFF"),
        (("score", "job.xlf", "-o", "o.po"), "the input is no document in PO"),
        (("score", "missing.xlf"), "There is no file"),
        (("score", "-", "--input-format", "xliff"), "cannot be read from standard input"),
        (("nli", "job.xlf"), "turn it into one with `headwise score`"),
        (("nli", "pairs.tsv", "-o", "o.xlf"), "the input is no document in XLIFF"),
    ],
)
def test_what_is_no_document_is_named_before_a_model_is_loaded(
    command: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headwise.backbones.load_backbone", None)
    with pytest.raises(DataError, match=said):
        invoke(*command)


def test_languages_reach_the_prompt() -> None:
    tokenizer = byte_level()
    tokenizer.chat_template = None
    for part in (tiny_llama(tokenizer, num_hidden_layers=1), tokenizer):
        part.save_pretrained("base")
    model = ("-m", "base", "--prompt", "bilingual", "--signals", "logprob")
    found = invoke("score", "job.xlf", *model)
    assert "'<s>{source_language}: {source}\\n{target_language}: {hypothesis}\\n'" in found.stderr
    score = json.loads(found.stdout)["score"]
    named = ("--prompt-variable", "source_language=English")
    languages = (*named, "--prompt-variable", "target_language=German")
    same = invoke("score", "job.xlf", *model, *languages)
    assert json.loads(same.stdout)["score"] == pytest.approx(score)
    other = invoke("score", "job.xlf", *model, "--target-language", "fr", *named)
    assert json.loads(other.stdout)["score"] != pytest.approx(score)
    Path("job.xlf").write_text(XLIFF.replace(' target-language="de"', ""), encoding="utf-8")
    rejected = invoke("score", "job.xlf", *model, "-o", "o.jsonl", code=3)
    assert "1 rejected" in rejected.stderr
    assert "no column `target_language`" in Path("o.rejects.jsonl").read_text()
    assert json.loads(Path("o.rejects.jsonl").read_text())["reason"].startswith("Unit 1: ")
