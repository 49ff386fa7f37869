"""What must hold of the image, read from its file: Docker is not needed."""

import ast
import fnmatch
import json
import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

import headwise
from headwise.cli.main import app

ROOT = Path(headwise.__file__).parents[2]
FILE = ROOT / "Dockerfile"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="not beside an installed package")


def instructions() -> list[tuple[str, str]]:
    """Names and arguments in order, without remarks."""
    text = re.sub(r"^#.*\n", "", FILE.read_text("utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    found = (line.split(maxsplit=1) for line in lines if line.strip())
    return [(name, " ".join(rest.split())) for name, rest in found]


def of(name: str) -> list[str]:
    return [rest for found, rest in instructions() if found == name]


def test_the_user_has_no_rights() -> None:
    names = [name for name, _ in instructions()]
    assert of("USER") == ["headwise"]
    assert any("useradd --system" in rest and "headwise" in rest for rest in of("RUN"))
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "COPY" not in names[names.index("USER") :]


def test_the_health_check_asks_with_what_is_there() -> None:
    (check,) = of("HEALTHCHECK")
    python, option, code = json.loads(check.partition("CMD ")[2])
    assert (python, option) == ("python", "-c")
    imported = {n.name for node in ast.walk(ast.parse(code)) for n in getattr(node, "names", ())}
    assert imported == {"urllib.request"}
    assert f":{of('EXPOSE')[0]}/health" in code


def test_the_command_is_one_that_exists() -> None:
    (entry,) = of("ENTRYPOINT")
    command, *arguments = json.loads(entry)
    assert command == "headwise"
    assert arguments[arguments.index("--port") + 1] == of("EXPOSE")[0]
    help_ = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "200"}).output
    assert all(option in help_ for option in arguments if option.startswith("--"))
    assert of("STOPSIGNAL") == ["SIGTERM"]


def test_what_is_copied_is_there_and_reaches_the_build() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_in = [line[1:] for line in lines if line.startswith("!")]
    assert lines[1] == "*"
    copied = [part for rest in of("COPY") if "--from" not in rest for part in rest.split()[:-1]]
    assert len(copied) == 6
    for name in copied:
        assert (ROOT / name).exists()
        assert any(fnmatch.fnmatch(name, pattern) for pattern in let_in), name


def test_what_is_installed_is_pinned_and_known() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    installs = [rest for rest in of("RUN") if "pip install" in rest]
    assert len(installs) == 2
    assert all("-c constraints.txt" in rest for rest in installs)
    (named,) = re.findall(r"\.\[([a-z,]+)\]", " ".join(installs))
    assert {"serve", "minilm"} <= set(named.split(",")) <= extras.keys()
    pins = (ROOT / "constraints.txt").read_text("utf-8").lower()
    for extra in named.split(","):
        for requirement in extras[extra]:
            name = re.split(r"[>=\[]", requirement)[0]
            assert f"\n{name.lower()}==" in pins.replace("_", "-")
