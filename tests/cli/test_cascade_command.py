"""``headwise cascade`` as a user meets it, and its answers in ``headwise evaluate``."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from in_process import invoke
from made_chat_server import chat_server
from running import headwise

from headwise.errors import DataError, StageError

ANSWERS = {
    "A dog runs along the beach.": "Ein Hund läuft am Strand entlang.",
    "El perro corre por la playa con su dueño.": "Der Hund läuft mit dem Besitzer am Strand.",
}
USUAL = "Ein Mann steht vor einem Haus."


@pytest.fixture(scope="module")
def big() -> Iterator[str]:
    """A model behind a server that knows two translations, and one for everything else."""
    with chat_server(lambda asked: ANSWERS.get(asked, USUAL)) as url:
        yield f"{url}#big"


def test_texts_are_answered_by_who_is_sure(big: str, tmp_path: Path) -> None:
    first, second = ANSWERS
    shown = headwise(
        *("cascade", first, second, "--then", big, "--accept", "0.9", "--accept", "0.05"),
        *("--cost", "1", "--cost", "20", "--beams", "1"),
        cwd=tmp_path,
    ).stdout
    asked, other = shown.split(second)
    assert "tiny-en-de" in asked
    assert "big" not in asked
    assert "declines" in " ".join(other.split())
    printed = invoke("cascade", second, "--then", big, "--accept", "0.05", "--json").stdout
    row = json.loads(printed)
    assert [one["stage"] for one in row["attempts"]] == ["tiny-en-de", big]
    abstained = invoke("cascade", first, "--then", big, "--accept", "1.0", "--ask-all").stdout
    assert "No answer is good enough." in abstained


def test_a_file_is_judged_guaranteed_and_evaluated(big: str, tmp_path: Path) -> None:
    subjects, places = ("A dog", "A man", "A woman", "A boy", "A girl"), ("house", "tree", "car")
    sources = [f"{one} stands in front of a {place}." for one in subjects for place in places]
    table = tmp_path / "q.tsv"
    rows = [f"{source}\t{USUAL}" for source in sources * 4]
    table.write_text("source\tright\n" + "\n".join(rows) + "\n", encoding="utf-8")
    answers = tmp_path / "a.jsonl"
    arguments = ("cascade", table, "--then", big, "--accept", "0.5", "--cost", "1", "--cost", "9")
    done = invoke(*arguments, "--ask-all", "-o", answers)
    assert "60 texts read: " in done.stderr
    assert "left unanswered" in done.stderr
    written = [json.loads(line) for line in answers.read_text("utf-8").splitlines()]
    for row in written:  # here what the small model says is right
        for one in row["attempts"]:
            one["correct"] = one["stage"] == "tiny-en-de"
    answers.write_text("".join(json.dumps(row) + "\n" for row in written), encoding="utf-8")

    report = tmp_path / "report"
    shown = invoke("evaluate", answers, "--protocol", "cascade", "--report", report).stdout
    assert "Who answers" in shown
    assert "saved" in shown.lower()
    assert (report / "risk-coverage.png").is_file()
    # Right is what the server answers, if a column says it
    by_column = tmp_path / "by-column.json"
    invoke(
        *("evaluate", answers, "--protocol", "cascade", "--reference-column", "right"),
        *("--json", by_column),
    )
    alone = json.loads(by_column.read_text())["tables"]["against-one"]["rows"]
    small, other = (row["metrics"]["wrong"]["value"] for row in alone[1:])
    assert 0.0 == other < small

    saved = tmp_path / "guarantee.json"
    promised = ("cascade", table, "--then", big, "--overwrite")
    done = invoke(
        *promised, "--labelled", answers, "--risk", "0.3", "--save", saved, "-o", tmp_path / "b.tsv"
    )
    assert "With 95% confidence, at most 30% of the answers are wrong" in done.stderr
    again = invoke(*promised, "--guarantee", saved, "-o", tmp_path / "c.tsv")
    assert (tmp_path / "c.tsv").read_text().count("\n") == 61
    assert again.stderr.splitlines()[0] == done.stderr.splitlines()[0]
    few = invoke(
        *promised, "--labelled", answers, "--risk", "0.01", "-o", tmp_path / "d.tsv", code=3
    )
    assert "60 left unanswered" in few.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--accept", "0.5"), "Give texts, or a file"),
        (("A dog.",), "Say what is accepted"),
        (("A dog.", "--accept", "0.5", "--guarantee", "g.json"), "Say what is accepted"),
        (("A dog.", "--accept", "0.5", "--risk", "0.2"), "are for --labelled"),
        (("A dog.", "--accept", "0.5", "--accept", "0.2"), "one for each of 1 stages"),
        (("A dog.", "--accept", "0.5", "--then", "tiny-en-de"), "tiny-en-de is named twice"),
        (("A dog.", "--accept", "0.5", "--then", "http://host:1"), "#NAME"),
        (("A dog.", "--accept", "0.5", "-o", "out.jsonl"), "for a file of texts"),
        (("A dog.", "--accept", "0.5", "--signal", "beauty"), "beauty"),
        (("A dog.", "--accept", "0.5", "--cost", "1", "--cost", "2"), "a price for each of 1"),
        (
            ("A dog.", "--accept", "0.5", "--prompt-variable", "colour=red"),
            "No prompt has a variable colour",
        ),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    (tmp_path / "g.json").write_text("{}")
    given = [str(tmp_path / one) if one == "g.json" else one for one in arguments]
    try:
        said = invoke("cascade", *given, code=2).stderr
    except (DataError, ValueError) as error:
        said = str(error)
    assert message in " ".join(said.replace("\u2502", " ").split())


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    nothing = invoke("cascade", "", "--accept", "0.5", code=3)
    assert "Left out: The source is empty" in nothing.stderr
    with pytest.raises(DataError, match=r"no-such\.tsv"):
        invoke("cascade", tmp_path / "no-such.tsv", "--accept", "0.5")
    (tmp_path / "g.json").write_text('{"risk": 0.1}')
    with pytest.raises(DataError, match="no guarantee of `headwise cascade --save`: stages"):
        invoke("cascade", "A dog.", "--guarantee", tmp_path / "g.json")
    with chat_server(lambda _: None) as url, pytest.raises(StageError, match="big did not answer"):
        invoke("cascade", "A dog.", "--then", f"{url}#big", "--accept", "1.0")
