"""The command in this process: where only its output matters, and not how it starts and ends."""

from pathlib import Path

from typer.testing import CliRunner, Result

from headwise.cli.main import app


def invoke(*arguments: str | Path, text: str | bytes | None = None, code: int = 0) -> Result:
    """Run a command and check its exit code; an error of headwise is raised."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=text)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.stderr
    return result
