"""The help of every command: it is printed, and speaks of values in words for people."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from headwise.cli.main import app


def commands(group: Any, *names: str) -> Iterator[tuple[str, ...]]:
    """The group itself and all commands in it, by their names."""
    yield names
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if hasattr(command, "list_commands"):
            yield from commands(command, *names, name)
        else:
            yield *names, name


ALL = list(commands(typer.main.get_command(app)))


def test_there_are_all_of_them() -> None:
    assert len(ALL) > 20
    assert ("train", "sigmoid") in ALL


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_every_help_says_what_values_are(names: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*names, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.exception
    assert "Usage: " in result.output
    assert not re.findall(r"<(?:bool|int|float|str|path|file|dir|list)\b[^|>]*>", result.output)
