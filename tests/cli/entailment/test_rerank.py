"""``headwise rerank`` as a user meets it."""

import json
from pathlib import Path

from in_process import invoke
from running import headwise

from headwise.entailment import EntailmentModel

QUERY = "A dog runs"
TEXTS = ["The cat sat on the mat.", "A dog runs.", "A dog."]


def test_documents_keep_their_lines(
    tmp_path: Path, encoder_folder: Path, entailment_model: EntailmentModel
) -> None:
    (tmp_path / "docs.txt").write_text(f"{TEXTS[0]}\n\n{TEXTS[1]}\n{'A dog. ' * 60}\n{TEXTS[2]}\n")
    expected = entailment_model.rerank(QUERY, TEXTS)
    options = ("-m", encoder_folder, "--device", "cpu")
    result = headwise("rerank", QUERY, "docs.txt", *options, cwd=tmp_path, code=3)
    rows = [line.split(maxsplit=3) for line in result.stdout.splitlines()[3:] if line.strip()]
    lines = [[1, 3, 5][found.index] for found in expected]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert [int(row[2]) for row in rows] == lines
    assert [row[3].strip() for row in rows] == [found.document for found in expected]
    assert "Line 2 left out: The line is empty" in result.stderr
    assert "Line 4 left out: The document takes" in result.stderr
    result = invoke(
        *("rerank", QUERY, "-", "--json", "--top-k", "1", "--by", "similarity", *options),
        text="\n".join(TEXTS),
    )
    row = json.loads(result.stdout)
    (best,) = entailment_model.rerank(QUERY, TEXTS, top_k=1, by="similarity")
    assert (row["rank"], row["line"], row["text"]) == (1, best.index + 1, best.document)


def test_documents_in_a_column(tmp_path: Path, encoder_folder: Path) -> None:
    (tmp_path / "docs.tsv").write_text("id\ttext\n7\tA dog runs.\n8\tThe cat sat.\n")
    asked = ("rerank", QUERY, str(tmp_path / "docs.tsv"), "--json", "-m", encoder_folder)
    result = invoke(*asked, "--column", "text", "--device", "cpu")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {(row["line"], row["text"]) for row in rows} == {(2, "A dog runs."), (3, "The cat sat.")}
