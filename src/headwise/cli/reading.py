"""What several commands are given: names, texts, files, and pairs in them."""

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from headwise.cli import printing

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from headwise.backbones import LanguageBackbone, PromptTemplate
    from headwise.data.readers import Layout
    from headwise.data.readers.claims import ClaimLayout
    from headwise.data.readers.inferences import InferenceLayout
    from headwise.data.records.inferences import InferencePair
    from headwise.data.records.pairs import Pair, Reject


def given_text(value: str, *, name: str) -> str:
    """The text that an argument is or, after an ``@``, the file that holds it; ``-`` reads none.

    An ``@`` before several words that are no file is part of the text.

    Raises:
        BadParameter: If the text is the name of a file, or nothing follows the ``@``.
        DataError: If there is no such file, or it is not UTF-8.
    """
    if not value.startswith("@"):
        # Not Path.is_file, which fails on texts longer than names can be
        if os.path.isfile(value):  # noqa: PTH113
            raise typer.BadParameter(
                f"{name} is the name of a file: give @{value} to read it. If the text itself is "
                "meant, end it with a space."
            )
        return value
    path = value.removeprefix("@")
    if not path:
        raise typer.BadParameter(f"@ in {name} must be followed by the name of a file.")
    if len(path.split()) > 1 and not os.path.exists(path):  # noqa: PTH110
        return value
    from headwise.data.readers.texts import read_whole_text

    return read_whole_text(path)


def two_texts_or_file(
    given: Sequence[str], names: tuple[str, str], *, options_of_files: bool, json_object: bool
) -> list[str]:
    """The two texts that are given, read, or the name of the one file, not looked at.

    ``names`` says what the texts are, as in ``("a premise", "its hypothesis")``; the others say
    whether options were given that are of no use to two texts, or to a file.

    Raises:
        BadParameter: If they are neither, or options do not go with them.
        DataError: As in :func:`given_text`.
    """
    if len(given) > 2:
        raise typer.BadParameter(f"Give {' and '.join(names)}, or one file; got {len(given)}.")
    if len(given) == 2:
        if options_of_files:
            raise typer.BadParameter(
                "Options of files and columns go with one FILE, not two texts."
            )
        return [
            given_text(text, name=name.split()[-1].upper())
            for text, name in zip(given, names, strict=True)
        ]
    if json_object:
        raise typer.BadParameter("--json goes with two texts; of a file, JSONL is written anyway.")
    if " " in given[0] and not os.path.exists(given[0]):  # noqa: PTH110 - of any length
        raise typer.BadParameter(
            f"There is no file {given[0][:60]!r}; if it is {names[0]}, give {names[1]}, too."
        )
    return list(given)


def expect_model(name: str | None, names: tuple[str, ...] = ()) -> None:
    """See that a model or head can be there, before PyTorch is imported to look.

    Raises:
        UnknownModelError: If it is neither bundled nor a folder nor a hub id; the message names
            the bundled ones, ``names`` or else those that score.
    """
    from headwise.bundled.names import BUNDLED_NAMES, expect_name

    if name is not None:
        expect_name(name, names or BUNDLED_NAMES)


def expect_tables(*groups: "Iterable[str] | None", file_format: str | None = None) -> None:
    """See that files of rows are there and of a known format, before PyTorch is imported.

    Raises:
        DataError: If a file is missing, or its format is not known from its name.
    """
    from headwise.data.readers.layout import Format
    from headwise.data.readers.tables import check_input

    chosen = None if file_format is None else Format(file_format)
    for paths in groups:
        for path in paths or ():
            check_input(path, chosen)


def expect_pairs(paths: "Iterable[str]", layout: "Layout", columns: "Iterable[str]" = ()) -> None:
    """See that tables have the columns that are asked for, likewise; streams are let through.

    ``columns`` are those that prompts take variables from.

    Raises:
        DataError: If a header lacks one, or the first row cannot be read.
    """
    from headwise.data.readers import read_pairs

    paths, columns = list(paths), list(columns)
    _look_at(paths, lambda path: read_pairs(path, layout))
    for path in paths:
        expect_columns(path, columns, layout)


def expect_columns(
    path: str, names: "Iterable[str | None]", layout: "Layout | None" = None
) -> None:
    """See that rows have columns of these names, likewise; ``None`` is let through.

    Raises:
        DataError: If no row has one.
    """
    from headwise.data.readers import Layout, document_format
    from headwise.data.readers.corpora.mqm import is_mqm_header
    from headwise.data.readers.corpora.mqm_spans import is_span_header, span_columns
    from headwise.data.readers.opening import STDIN
    from headwise.data.readers.tables import open_table
    from headwise.data.writers.rows import RESERVED_NAMES, input_column
    from headwise.errors import DataError

    wanted = {name for name in names if name is not None}
    if not wanted or path == STDIN or not os.path.isfile(path):  # noqa: PTH113
        return
    told = layout or Layout()
    if document_format(path, told) is not None or told.names_columns or told.header is False:
        return  # columns are what a document says, or may have numbers in the place of names
    with open_table(
        path, told.format, naming=span_columns, encoding=told.encoding, quotes=told.quotes
    ) as table:
        known = dict.fromkeys(table.columns or ())
        if is_mqm_header(known) or is_span_header(known):
            return  # what stands in its records is made of its rows
        # Of objects, any may have it
        for row in table.rows if table.columns is None else ():
            known |= dict.fromkeys(getattr(row, "values", ()))
            if wanted <= known.keys():
                return
    brought = [name for name in known if name not in RESERVED_NAMES]
    for name in sorted(wanted - known.keys()):
        try:
            input_column(brought, name)
        except LookupError as error:
            raise DataError(f"In the rows of `{path}`, {error.args[0]}.") from None


def expect_inferences(
    paths: "Iterable[str]", layout: "InferenceLayout", *, labelled: bool = True
) -> None:
    """The same for pairs of premise and hypothesis."""
    from headwise.data.readers.inferences import read_inferences

    _look_at(paths, lambda path: read_inferences(path, layout, labelled=labelled))


def expect_claims(paths: "Iterable[str]", layout: "ClaimLayout") -> None:
    """The same for claims."""
    from headwise.data.readers.claims import read_claims

    _look_at(paths, lambda path: read_claims(path, layout))


def expect_text_rows(path: str, column: str | None, layout: "Layout") -> None:
    """The same for texts: lines, or a column."""
    from headwise.data.readers.texts import read_texts

    _look_at([path], lambda name: read_texts(name, column=column, layout=layout))


def _look_at(paths: "Iterable[str]", read: "Callable[[str], Iterator[object]]") -> None:
    from headwise.data.readers.looking import look_at_first
    from headwise.data.readers.opening import STDIN

    for path in paths:
        # What a folder holds needs a package that takes seconds to import
        if path != STDIN and os.path.isfile(path):  # noqa: PTH113
            look_at_first(read(path))


def expect_texts(paths: "Iterable[str | Path | None]") -> None:
    """The same for files of texts, whatever their format; ``None`` and ``-`` are let through."""
    from headwise.data.readers.opening import STDIN, check_readable

    for path in paths:
        if path is not None and str(path) != STDIN:
            check_readable(path)


def rows_for_prompt(
    rows: "Iterable[Pair | Reject]", backbone: "LanguageBackbone", prompt: "PromptTemplate"
) -> "Iterator[Pair | Reject]":
    """The rows; those that lack what the prompt takes from them are rejects."""
    from headwise.backbones.row_prompts import prompt_of_row
    from headwise.data.records.pairs import Pair, Reject
    from headwise.errors import InputError

    checked: dict[str, PromptTemplate] = {}
    for row in rows:
        if prompt.columns and isinstance(row, Pair):
            try:
                prompt_of_row(backbone, prompt, row.extra, checked=checked)
            except InputError as error:
                yield Reject(row.line, str(error), row.content)
                continue
        yield row


def read_training_pairs(
    paths: Sequence[str],
    layout: "Layout | None" = None,
    *,
    read_by: "tuple[LanguageBackbone, PromptTemplate] | None" = None,
) -> "list[Pair]":
    """Read all pairs; rows that are none are named on standard error and left out.

    So are those that lack what the prompt of the model takes from them.
    """
    from headwise.data.readers import Layout, read_pairs

    known = layout or Layout()
    # A missing file is noticed when its reader is made, before another one is read
    files = [(path, read_pairs(path, known)) for path in paths]
    if read_by is not None:
        files = [(path, rows_for_prompt(rows, *read_by)) for path, rows in files]
    return _without_rejects(files)


def read_labelled(
    paths: Sequence[str], layout: "InferenceLayout | None" = None
) -> "list[InferencePair]":
    """Read all labelled pairs; rows that are none are named on standard error and left out."""
    from headwise.data.readers.inferences import InferenceLayout, read_inferences

    known = layout or InferenceLayout()
    return _without_rejects([(path, read_inferences(path, known)) for path in paths])


def _without_rejects(files: "Iterable[tuple[str, Iterable[T | Reject]]]") -> list[T]:
    from headwise.data.records.pairs import Reject

    good = []
    for path, rows in files:
        for row in rows:
            if not isinstance(row, Reject):
                good.append(row)
            elif printing.is_first_process():
                print(f"{path}, line {row.line} left out: {row.reason}", file=sys.stderr)
    return good


def choices(names: str, kind: type[E], *, option: str) -> tuple[E, ...]:
    """Members of a set by their names, with commas between them, as :func:`known_names` reads them.

    Raises:
        ValueError: If there is no name, or one is not in the set; the message lists it.
    """
    return tuple(map(kind, known_names(names, [member.value for member in kind], option=option)))


def known_names(names: str | None, known: Sequence[str], *, option: str) -> tuple[str, ...]:
    """Read names with commas between them, each once; ``None`` names none.

    Raises:
        ValueError: If there is no name, or one is not known; the message lists those that are.
    """
    if names is None:
        return ()
    given = [name.strip() for name in names.split(",") if name.strip()]
    wrong = next((name for name in given if name not in known), None)
    if wrong is not None or not given:
        raise ValueError(
            f"{option} must name one or more of {', '.join(known)}, got {wrong or names!r}."
        )
    return tuple(dict.fromkeys(given))
