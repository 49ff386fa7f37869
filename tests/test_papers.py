"""What is beside the code says the same as the code, and forms are forms."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import headwise

ROOT = Path(headwise.__file__).parents[2]
FORMS = ROOT / ".github" / "ISSUE_TEMPLATE"
pytestmark = pytest.mark.skipif(
    not (ROOT / "CITATION.cff").is_file(), reason="not beside an installed package"
)


def test_the_citation_is_of_this_version_and_of_the_methods() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for field in ("version", "license"):
        assert cited[field] == project[field]
    methods = (ROOT / "README.md").read_text("utf-8").split("## Method")[1]
    papers = [f"arXiv:{number}" for number in re.findall(r"arXiv:? (\d{4}\.\d{5})", methods)]
    assert papers == [paper["identifiers"][0]["value"] for paper in cited["references"]]


@pytest.mark.parametrize("name", ["bug", "feature", "score"])
def test_issue_forms_ask_something(name: str) -> None:
    form = yaml.safe_load((FORMS / f"{name}.yml").read_text("utf-8"))
    assert {"name", "description", "body"} <= form.keys()
    asked = [part for part in form["body"] if part["type"] != "markdown"]
    assert {part["type"] for part in asked} <= {"input", "textarea"}
    ids = [part["id"] for part in asked]
    assert len(set(ids)) == len(ids)
    assert all(part["attributes"]["label"] for part in asked)
    assert any(part.get("validations", {}).get("required") for part in asked)
