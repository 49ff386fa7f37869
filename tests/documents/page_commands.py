"""The commands of a block: where one ends, and whether what they name is there."""

import argparse
import functools
import re
import runpy
import shlex
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

import typer
from page_blocks import ROOT, Block

from headwise.cli.main import app
from headwise.errors import HeadwiseError

# What a shell does beyond starting a command
_SHELL = set("|&;<>$`*?")
# What a script says that reads arguments
_PARSER = re.compile(r"argparse|_argument\(")
_ASSIGNMENT = re.compile(r"\w+=.*")


@dataclass(frozen=True)
class Command:
    """One command of a block.

    Attributes:
        line: Where it begins in its page.
    """

    text: str
    line: int

    @functools.cached_property
    def words(self) -> list[str]:
        """Its words, and operators of the shell between them."""
        lexer = shlex.shlex(self.text.replace("\\\n", " "), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        lexer.commenters = ""
        return list(lexer)

    @property
    def is_plain(self) -> bool:
        """Whether it needs no shell."""
        unquoted = re.sub(r"'[^']*'", "", self.text)
        return not _SHELL & set(unquoted)

    def simple_commands(self) -> Iterator[list[str]]:
        """The words of each command of a pipe, without where they write."""
        words: list[str] = []
        rest = iter(self.words)
        for word in rest:
            if word and set(word) <= set("|&;"):
                yield words
                words = []
            elif word and set(word) <= set("<>&"):
                next(rest, None)
            elif words or not (_ASSIGNMENT.fullmatch(word) or word == "time"):
                words.append(word)
        yield words


def commands_of(block: Block) -> list[Command]:
    """The commands of a block of `bash`, without comments."""
    commands = []
    begun: list[str] = []
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        text = line if begun else line.lstrip()
        if not begun and (not text or text.startswith("#")):
            continue
        begun.append(text)
        whole = _without_comment("\n".join(begun))
        if whole is not None:
            commands.append(Command(whole, number - len(begun) + 1))
            begun = []
    if begun:
        raise ValueError(f"{block.place}: `{begun[0]}` does not end.")
    return commands


def _without_comment(text: str) -> str | None:
    """The text of a command without a comment at its end; nothing where it goes on."""
    quote = ""
    for place, sign in enumerate(text):
        if quote:
            if sign == quote and text[place - 1] != "\\":
                quote = ""
        elif sign in "'\"" and text[place - 1 : place] != "\\":
            quote = sign
        elif sign == "#" and text[place - 1].isspace():
            return text[:place].rstrip()
    return None if quote or text.endswith("\\") else text.rstrip()


def faults(command: Command, folders: list[Path]) -> list[str]:
    """What a command names that is not there: options, scripts, targets, extras.

    Args:
        command: It is not run.
        folders: Where its reader may be.
    """
    found = []
    for words in command.simple_commands():
        if words:
            found += _faults(words, folders)
    return [f"`{command.text}`: {fault}" for fault in found]


def _faults(words: list[str], folders: list[Path]) -> list[str]:
    name, *arguments = words
    places = [folder for folder in folders for word in words[:2] if (folder / word).is_file()]
    if name == "headwise":
        return _of_headwise(arguments)
    if name == "make":
        targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
        return [f"no target {word}" for word in arguments if word not in targets]
    if name == "pip":
        return _of_pip(arguments)
    if name == "torchrun" and "headwise" in arguments:
        return _of_headwise(arguments[arguments.index("headwise") + 1 :])
    if name == "python" and arguments and arguments[0].endswith(".py"):
        return _of_script(places[0] / arguments[0], arguments[1:]) if places else ["no script"]
    if name.endswith(".sh"):
        return [] if places else ["no script"]
    return []


def _of_headwise(arguments: list[str]) -> list[str]:
    """What the command line says of arguments, without running anything."""
    try:
        _parsed(typer.main.get_command(app), "headwise", arguments, None)
    except (typer.BadParameter, HeadwiseError) as wrong:
        return [str(wrong)]
    except Exception as wrong:
        # Typer has a class of its own for what it does not know, and does not show it
        if said := getattr(wrong, "format_message", None):
            return [said()]
        raise
    return []


def _parsed(command: Any, name: str, arguments: list[str], parent: Any) -> None:
    context = command.make_context(name, list(arguments), parent=parent)
    if hasattr(command, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        found, inner, after = command.resolve_command(context, rest)
        _parsed(inner, found, after, context)


def _of_pip(arguments: list[str]) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    asked = re.findall(r"(?:headwise|\.)\[([\w,-]+)\]", " ".join(arguments))
    return [f"no extra {name}" for one in asked for name in one.split(",") if name not in extras]


class _ParsedError(Exception):
    """A script has read its arguments."""


def _of_script(script: Path, arguments: list[str]) -> list[str]:
    """What a script's own parser says of arguments; it ends there."""
    if not _PARSER.search(script.read_text("utf-8")):
        return ["it reads no arguments"] if arguments else []
    original = argparse.ArgumentParser.parse_args

    def parse(self: argparse.ArgumentParser, *args: Any, **kwargs: Any) -> NoReturn:
        original(self, *args, **kwargs)
        raise _ParsedError

    def fail(_: argparse.ArgumentParser, message: str) -> NoReturn:
        raise ValueError(message)

    before = set(sys.modules)
    with (
        patch.object(argparse.ArgumentParser, "parse_args", parse),
        patch.object(argparse.ArgumentParser, "error", fail),
        patch.object(sys, "argv", [str(script), *arguments]),
        patch.object(sys, "path", [str(script.parent), *sys.path]),
    ):
        try:
            runpy.run_path(str(script), run_name="__main__")
        except _ParsedError:
            return []
        except ModuleNotFoundError:
            return []  # of a package that is not for tests
        except ValueError as wrong:
            return [str(wrong)]
        finally:
            # Modules beside scripts of other folders may have the same names
            for module in set(sys.modules) - before:
                file = getattr(sys.modules[module], "__file__", None)
                if file and Path(file).parent == script.parent:
                    del sys.modules[module]
    return ["it ends without reading its arguments"]
