"""The ``headwise`` command: its subcommands, exit codes, and how errors are shown.

Exit codes: 0 done, 1 a failure, 2 wrong usage, 3 done but for some rows, 130 interrupted.
Modules that take time to import are imported by the subcommand that needs them.
"""

import errno
import functools
import os
import sys
from functools import cached_property
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from headwise.cli.cascade import cascade
from headwise.cli.demo import demo
from headwise.cli.entailment.check import check
from headwise.cli.entailment.embed import embed
from headwise.cli.entailment.evaluate import evaluate_nli
from headwise.cli.entailment.nli import nli
from headwise.cli.entailment.rerank import rerank
from headwise.cli.entailment.route import route
from headwise.cli.evaluation.calibrate import calibrate
from headwise.cli.evaluation.compare import compare
from headwise.cli.evaluation.evaluate import evaluate
from headwise.cli.evaluation.export_task import export_task
from headwise.cli.evaluation.triage import triage
from headwise.cli.generate import generate
from headwise.cli.ground import ground
from headwise.cli.info import info
from headwise.cli.score import score
from headwise.cli.serve import serve
from headwise.cli.transfer import export, import_
from headwise.errors import FinishedError, HeadwiseError
from headwise.report.readable import make_streams_readable

_INTERRUPTED = 130

# Groups of the help
SCORE, EVALUATE, ENTAILMENT, SERVE = "Score", "Evaluate", "Entailment and search", "Serve"
MODELS = "Models"


class Commands(TyperGroup):
    """All commands; what Typer says of values and their types is put into our words."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as wrong:
            from pydantic import ValidationError

            from headwise.plain_values import in_words

            if isinstance(cause := wrong.__cause__, ValidationError):
                wrong.message = f"{in_words(cause)}."
            raise

    def get_params(self, ctx: Any) -> list[Any]:
        """Options of the command itself."""
        return _with_plain_types(super().get_params(ctx), ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """One of them."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            _with_plain_types(command.get_params(ctx), ctx)
        return command


_TYPES = {"<str>": "TEXT", "<list[str]>": "TEXT", "<bool>": "", "<dir>": "FOLDER"}
_TYPES |= {"<path>": "PATH", "<list[Path]>": "FILE", "<file>": "FILE"} | dict.fromkeys(
    ("<int>", "<int range>", "<float>", "<float range>", "<list[float]>"), "NUMBER"
)


def _plain_type(words: str, ctx: Any) -> str:  # noqa: ARG001
    return words


def _with_plain_types(parameters: list[Any], ctx: Any) -> list[Any]:
    """Let parameters call what they take by words for people, not by Python's names of types."""
    for parameter in parameters:
        shown = parameter.display_type(ctx)
        parameter.display_type = functools.partial(_plain_type, _TYPES.get(shown, shown))
    return parameters


class TrainCommands(TyperGroup):
    """The commands of ``train``, imported when one of them is asked for."""

    @cached_property
    def _loaded(self) -> Any:
        from headwise.cli.train.commands import train

        return typer.main.get_command(train)

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, for the help of the group."""
        names: list[str] = self._loaded.list_commands(ctx)
        return names

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """One of them."""
        command = self._loaded.get_command(ctx, cmd_name)
        if command is not None:
            _with_plain_types(command.get_params(ctx), ctx)
        return command


app = typer.Typer(
    name="headwise",
    cls=Commands,
    help="Small heads on frozen language models: which words deserve a second look?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(rich_help_panel=SCORE)(demo)
app.command(rich_help_panel=SCORE)(score)
app.command(rich_help_panel=SCORE)(generate)
app.command(rich_help_panel=SCORE)(cascade)
app.command(rich_help_panel=SCORE)(ground)
app.command(rich_help_panel=EVALUATE)(evaluate)
app.command(rich_help_panel=EVALUATE)(compare)
app.command(rich_help_panel=EVALUATE)(calibrate)
app.command(rich_help_panel=EVALUATE)(triage)
app.command(name="export-task", rich_help_panel=EVALUATE)(export_task)
app.command(rich_help_panel=ENTAILMENT)(nli)
app.command(rich_help_panel=ENTAILMENT)(route)
app.command(rich_help_panel=ENTAILMENT)(check)
app.command(rich_help_panel=ENTAILMENT)(embed)
app.command(rich_help_panel=ENTAILMENT)(rerank)
app.command(rich_help_panel=ENTAILMENT)(evaluate_nli)
app.command(rich_help_panel=SERVE)(serve)
app.add_typer(
    typer.Typer(
        cls=TrainCommands,
        help="Train heads on a frozen language model.",
        no_args_is_help=True,
    ),
    name="train",
    rich_help_panel="Train",
)
app.command(rich_help_panel=MODELS)(export)
app.command(name="import", rich_help_panel=MODELS)(import_)
app.command(rich_help_panel=MODELS)(info)


def _print_version(wanted: bool) -> None:
    if wanted:
        from headwise import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Small heads on frozen language models: which words deserve a second look?"""
    make_streams_readable()


def main() -> None:
    """Run the command; errors become one sentence on standard error."""
    try:
        app()
    except FinishedError as done:
        print(done, file=sys.stderr)
    except HeadwiseError as error:
        _fail(str(error), 1)
    except BrokenPipeError:
        # The reader of our output has gone; there is nobody left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except SystemExit as stop:
        # Typer turns an interrupt into this code and says nothing
        if stop.code == _INTERRUPTED:
            _fail(
                "Interrupted. What was written stays; `score`, `nli`, `ground`, `cascade` and "
                "`train` continue with the same command.",
                stop.code,
            )
        raise
    except Exception as error:
        if os.environ.get("HEADWISE_TRACEBACK"):
            raise
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _fail("There is no space left where the output goes; free some and run it again.", 1)
        _fail(
            f"Unexpected {type(error).__name__}: {error}. "
            "Set HEADWISE_TRACEBACK=1 to see where it comes from.",
            1,
        )


def _fail(message: str, code: int) -> NoReturn:
    print(f"Error: {message}", file=sys.stderr)
    sys.exit(code)
