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
    expected = entailment_model.route(QUERY, routes, by="entailment")
    assert expected.route == "dogs"
    result = headwise(
        *("route", QUERY, "--routes", "routes.yaml", "-r", f"dogs={QUERY}"),
        *("-r", "dogs=It is = a lovely evening.", "-m", heads_folder, "--device", "cpu"),
        *("--by", "entailment"),
        cwd=tmp_path,
    )
    assert result.stdout.startswith("→ dogs\nby entailment: asked for\n")
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


def test_examples_choose_the_way(
    tmp_path: Path, heads_folder: Path, entailment_model: EntailmentModel
) -> None:
    (tmp_path / "examples.csv").write_text(f"query,route\n{QUERY},dogs\nIt rains.,\n", "utf-8")
    routes = {"cats": ["The cat sat on the mat."], "dogs": [QUERY]}
    router = entailment_model.choose_router(routes, [(QUERY, "dogs"), ("It rains.", None)])
    command = ("route", QUERY, "-r", "cats=The cat sat on the mat.", "-r", f"dogs={QUERY}")
    options = ("--examples", str(tmp_path / "examples.csv"), "-m", heads_folder, "--device", "cpu")
    result = invoke(*command, *options)
    assert f"by {router.by}: right on " in result.stdout
    row = json.loads(invoke(*command, *options, "--json").stdout)
    assert (row["route"], row["by"], row["why"]) == ("dogs", router.by, router.why)
    wrong = invoke(*command, *options, "--by", "similarity", code=2)
    assert "leave --by and --min-score out" in " ".join(wrong.stderr.replace("│", " ").split())


def test_wrong_usage_is_said(tmp_path: Path) -> None:
    result = headwise("route", QUERY, cwd=tmp_path, code=2)
    assert "There are no routes" in result.stderr
    result = headwise("route", QUERY, "-r", "cats", cwd=tmp_path, code=2)
    assert "NAME=TEXT" in result.stderr
    result = headwise("route", QUERY, "--routes", "none.yaml", cwd=tmp_path, code=1)
    assert "There is no file `none.yaml`" in result.stderr
