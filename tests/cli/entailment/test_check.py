"""``headwise check`` as a user meets it."""

import json
from pathlib import Path

from in_process import invoke
from running import headwise

from headwise.entailment import EntailmentModel

SOURCE = "A dog runs on the beach. The cat sat on the mat.\nTwo men drink green tea."
CLAIM = "A dog runs."


def test_a_file_and_standard_input(
    tmp_path: Path, heads_folder: Path, entailment_model: EntailmentModel
) -> None:
    (tmp_path / "report.txt").write_text(SOURCE, "utf-8")
    expected = entailment_model.validate(SOURCE, CLAIM, top_k=2)
    options = ("-m", heads_folder, "--top-k", "2", "--device", "cpu")
    result = headwise("check", "@report.txt", CLAIM, *options, cwd=tmp_path)
    words = expected.verdict.value.replace("_", " ")
    assert result.stdout.startswith(f"{words}  confidence {expected.confidence:.2f}\n")
    for one in expected.evidence:
        assert f"[{one.text}]" in " ".join(result.stdout.split())
    result = invoke("check", "-", CLAIM, "--json", *options, text=SOURCE)
    row = json.loads(result.stdout)
    assert row["verdict"] == expected.verdict
    assert [SOURCE[one["start"] : one["end"]] for one in row["evidence"]] == [
        one.text for one in expected.evidence
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = headwise("check", "@none.txt", CLAIM, cwd=tmp_path, code=1)
    assert "There is no file `none.txt`" in result.stderr
