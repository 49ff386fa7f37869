"""Read routes from a file, names and the texts that stand for them; and queries that have one."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from headwise.data.readers.column_names import Role, knows_any
from headwise.data.readers.lines import numbered_lines, without_empty
from headwise.data.readers.opening import check_readable, open_bytes
from headwise.data.readers.rows import Row, all_rows
from headwise.data.readers.tables import check_input, open_table
from headwise.data.readers.texts import read_whole_text
from headwise.data.records.json_values import kind_of
from headwise.data.records.pairs import Reject
from headwise.documents import parse_json, parse_yaml
from headwise.errors import DataError

_SUFFIXES = (".yaml", ".yml", ".json", ".tsv")


def read_routes(path: str | Path) -> dict[str, list[str]]:
    """Read names of routes and their texts, in the order of the file.

    Args:
        path: YAML or JSON, a mapping of names to a text or a list of texts; or TSV without a
            header, a name and a text a line, where a name may come again with another text.

    Raises:
        DataError: If the file is missing, damaged, of another kind, or says something else.
    """
    check_readable(path)
    match Path(path).suffix.lower():
        case ".tsv":
            return _read_tsv(path)
        case ".json":
            found = _parsed(path, parse_json)
        case ".yaml" | ".yml":
            found = _parsed(path, parse_yaml)
        case _:
            raise DataError(
                f"Routes are read from files that end in {', '.join(_SUFFIXES)}, got `{path}`."
            )
    if not isinstance(found, Mapping):
        raise DataError(f"`{path}` must map names of routes to texts, got {kind_of(found)}.")
    return {_name(path, name): _texts(path, name, value) for name, value in found.items()}


_QUERY = Role("query", (("query",), ("text", "question", "request", "utterance")))
_ROUTE = Role("route", (("route",), ("label", "intent", "category")))


def read_route_examples(path: str | Path) -> list[tuple[str, str | None]]:
    """Read queries and the routes that they belong to, ``None`` where none suits.

    Args:
        path: A table in any format, with columns `query` and `route`; without a header, these are
            its two columns. A route that is empty or ``null`` is none.

    Raises:
        DataError: If the file is missing, damaged or lacks a column, or a row is none.
    """
    check_input(path)

    def name(cells: Sequence[str]) -> Sequence[str] | None:
        if knows_any(cells, _QUERY, _ROUTE):
            return None
        if len(cells) != 2:
            raise DataError(
                f"`{path}` has no header with `query` and `route`, and its first row has "
                f"{len(cells)} columns; it needs these two."
            )
        return ("query", "route")

    with open_table(path, naming=name) as table:
        columns = table.find(
            lambda present, _: (_QUERY.find(present, None), _ROUTE.find(present, None))
        )
        return [_example(path, row, *columns(row)) for row in all_rows(table)]


def _example(path: str | Path, row: Row, query: str, route: str) -> tuple[str, str | None]:
    asked, name = row.values[query], row.values[route]
    if not isinstance(asked, str) or not isinstance(name, str | None):
        raise DataError(
            f"Line {row.line} of `{path}` must have a query and the name of its route as text, got "
            f"{asked!r} and {name!r}."
        )
    return asked, name or None


def _parsed(path: str | Path, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(read_whole_text(path))
    except DataError as error:
        raise DataError(f"`{path}` cannot be read: {error}") from None


def _read_tsv(path: str | Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with open_bytes(path) as stream:
        for number, line in without_empty(numbered_lines(stream, str(path))):
            if isinstance(line, Reject):
                raise DataError(f"`{path}`, line {number}: {line.reason}")
            name, tab, text = line.partition("\t")
            if not tab or "\t" in text:
                raise DataError(
                    f"`{path}`, line {number}: a line must be a name, a tab and a text, got "
                    f"{line[:80]!r}."
                )
            found.setdefault(name, []).append(text)
    return found


def _name(path: str | Path, name: object) -> str:
    if not isinstance(name, str):
        raise DataError(
            f"`{path}` has the route {name!r}, which is {kind_of(name)} and not text; put the name "
            "into quotation marks."
        )
    return name


def _texts(path: str | Path, name: str, value: object) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise DataError(
            f"The route {name!r} in `{path}` must have a text or a list of texts, got {value!r}."
        )
    return texts
