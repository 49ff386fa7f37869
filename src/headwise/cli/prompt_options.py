"""Options that say how a pair is laid out for the model, and the line that shows it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from headwise.choices import PROMPT_NAMES

if TYPE_CHECKING:
    from headwise.backbones import Backbone, PromptTemplate


# The group of the help, with the model's own options
MODEL = "Model"

Prompt = Annotated[
    str | None,
    typer.Option(
        "--prompt",
        help=f"Prompt template: {', '.join(PROMPT_NAMES)}, or a JSON object. "
        "By default the one saved with the head.",
        rich_help_panel=MODEL,
    ),
]


@dataclass(frozen=True, slots=True)
class PromptOptions:
    """How a pair is laid out for the model."""

    prompt: Prompt = None
    prompt_variable: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt-variable",
            help="NAME=VALUE for the prompt, e.g. target_language=Czech.",
            rich_help_panel=MODEL,
        ),
    ] = None
    prompt_column: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt-column",
            help="NAME=COLUMN: each row has its own value for the prompt there, e.g. "
            "target_language=lang. Languages may be codes or names.",
            rich_help_panel=MODEL,
        ),
    ] = None

    def __post_init__(self) -> None:
        # What is wrong is said before PyTorch is imported
        parse_prompt_option(self.prompt)
        if twice := sorted(set(self.variables) & set(self.columns)):
            raise typer.BadParameter(
                f"{twice[0]} has a value by --prompt-variable and a column by --prompt-column; "
                "give one."
            )

    @property
    def variables(self) -> dict[str, str]:
        """Values of variables by name."""
        return _named(self.prompt_variable, "--prompt-variable", "VALUE")

    @property
    def columns(self) -> dict[str, str]:
        """Columns that variables take their values from, by the variables' names."""
        return _named(self.prompt_column, "--prompt-column", "COLUMN")


def _named(entries: list[str] | None, option: str, what: str) -> dict[str, str]:
    found = {}
    for entry in entries or []:
        name, equals, value = entry.partition("=")
        if not equals or (what == "COLUMN" and not value):
            raise typer.BadParameter(f"{option} must be NAME={what}, got {entry!r}.")
        found[name] = value
    return found


def parse_prompt_option(prompt: str | None) -> "PromptTemplate | None":
    """Read the name or the JSON object of a prompt template; ``None`` stays ``None``."""
    if prompt is None:
        return None
    from headwise.backbones import parse_prompt
    from headwise.documents import parse_json
    from headwise.errors import DataError

    try:
        return parse_prompt(parse_json(prompt) if prompt.lstrip().startswith("{") else prompt)
    except DataError as error:
        raise typer.BadParameter(
            f"--prompt must be a name or a JSON object, and this is neither: {error} A template "
            """looks like {"kind": "text", "prompt": "{bos}Q: {source}\\nA:"}."""
        ) from error
    except ValueError as error:
        raise typer.BadParameter(f"--prompt: {error}") from error


# Characters of a prompt at its beginning and at its end that are printed
_PROMPT_SHOWN = (160, 80)


def say_prompt(backbone: "Backbone", prompt: "PromptTemplate") -> None:
    """Print on standard error what the model reads around the texts, in one line."""
    import sys

    from headwise.errors import InputError

    try:
        text = repr(prompt.resolved(backbone.tokenizer))
    except InputError as error:  # a chat template that allows other texts may refuse these
        text = f"{prompt.texts()} ({error})"
    first, last = _PROMPT_SHOWN
    shown = text if len(text) <= first + last else f"{text[:first]} ... {text[-last:]}"
    print(f"Prompt: {shown}", file=sys.stderr)
