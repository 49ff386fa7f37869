"""``headwise route`` as a user meets it."""

import json
from pathlib import Path

from in_process import invoke
from running import headwise

from headwise.entailment import EntailmentModel

QUERY = "A dog runs."


def test_routes_of_the_command_and_of_a_file(
    tmp_path: Path, heads_folder: Path, entailment_model: EntailmentModel
) -> None:
    (tmp_path / "routes.yaml").write_text("cats: The cat sat on the mat.\n", "utf-8")
    routes = {"cats": ["The cat sat on the mat."], "dogs": [QUERY, "It is = a lovely evening."]}
    expected = entailment_model.route(QUERY, routes)
    assert expected.route == "dogs"
    result = headwise(
        *("route", QUERY, "--routes", "routes.yaml", "-r", f"dogs={QUERY}"),
        *("-r", "dogs=It is = a lovely evening.", "-m", heads_folder, "--device", "cpu"),
        cwd=tmp_path,
    )
    assert result.stdout.startswith("→ dogs\n")
    assert f"{expected.scores['cats'].score:.2f}" in result.stdout
    assert "cats" in result.stdout


def test_no_route_is_an_answer(encoder_folder: Path) -> None:
    result = invoke(
        *("route", QUERY, "-r", "cats=The cat sat on the mat.", "-m", encoder_folder, "--json"),
        *("--by", "similarity", "--min-score", "2", "--device", "cpu"),
    )
    row = json.loads(result.stdout)
    assert row["route"] is None
    assert row["scores"]["cats"]["text"] == "The cat sat on the mat."


def test_wrong_usage_is_said(tmp_path: Path) -> None:
    result = headwise("route", QUERY, cwd=tmp_path, code=2)
    assert "There are no routes" in result.stderr
    result = headwise("route", QUERY, "-r", "cats", cwd=tmp_path, code=2)
    assert "NAME=HYPOTHESIS" in result.stderr
    result = headwise("route", QUERY, "--routes", "none.yaml", cwd=tmp_path, code=1)
    assert "There is no file `none.yaml`" in result.stderr
