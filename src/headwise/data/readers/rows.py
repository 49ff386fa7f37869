"""Rows with their place, whatever the format they come from, and what records are made of them.

A reader of records says which columns it needs (:meth:`RowStream.find`) and makes a record of a
row; :func:`records` sets aside the rows that cannot be one.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from headwise.data.readers.column_names import could_be_names
from headwise.data.records.json_values import kind_of, listed
from headwise.data.records.pairs import Reject
from headwise.errors import DataError, InputError

T = TypeVar("T")

logger = logging.getLogger(__name__)

# The column that may hold texts by language
TRANSLATION = "translation"


class Row(NamedTuple):
    """A row and its place.

    Attributes:
        line: Where it stood, counted from 1; in Parquet and data sets the row's number.
        text: The line that it was; ``None`` if it was none.
    """

    line: int
    values: dict[str, Any]
    text: str | None = None

    def reject(self, reason: str) -> Reject:
        """This row, set aside."""
        text = self.text
        if text is None:
            text = json.dumps(self.values, ensure_ascii=False, default=str)
        return Reject(self.line, reason, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStream:
    """The rows of a file, in order, to be read once.

    Attributes:
        columns: Their columns, if all rows have the same; ``None`` for JSON objects.
        named: Whether the file itself names its columns; a file without rows does not.
        nested: Whether values can be lists and objects.
        languages: The keys of the column ``translation``, if it holds texts by language.
        classes: Of columns whose numbers stand for classes, the names of these, in order.
    """

    name: str
    rows: Iterator[Row | Reject]
    columns: tuple[str, ...] | None = None
    named: bool = True
    nested: bool = False
    languages: tuple[str, ...] | None = None
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def find(
        self, search: Callable[[tuple[str, ...], tuple[str, ...] | None], T]
    ) -> Callable[[Row], T]:
        """Search for columns: once in a header, in every JSON object anew.

        ``search`` takes columns and languages, and raises a ``LookupError`` that says what is
        missing and what to do. What is returned finds them for a row, or raises an ``InputError``.

        Raises:
            DataError: If the header lacks something.
        """
        # Neighbouring objects have the same keys
        search = lru_cache(maxsize=64)(search)
        if self.columns is not None:
            try:
                found = search(self.columns, self.languages)
            except LookupError as error:
                raise DataError(f"In the header of `{self.name}` {error.args[0]}.") from None
            return lambda _: found

        def in_object(row: Row) -> T:
            texts = row.values.get(TRANSLATION)
            languages = tuple(texts) if isinstance(texts, dict) else None
            try:
                return search(tuple(row.values), languages)
            except LookupError as error:
                raise InputError(f"In this object {error.args[0]}.") from None

        return in_object

    def require(self, columns: Iterable[str], what: str) -> None:
        """See that there are columns with these very names.

        Raises:
            DataError: If one is missing; ``what`` says who needs it.
        """
        for column in columns:
            if column not in (self.columns or ()):
                raise DataError(
                    f"In the header of `{self.name}` there is no `{column}`, which {what} need."
                )


@dataclass(frozen=True, slots=True)
class Columns:
    """The names under which a row holds its texts.

    Attributes:
        source: ``None`` for text on its own.
        placeholder: What stands in place of a text that there is none of, if it is known.
    """

    source: str | None
    hypothesis: str
    placeholder: str | None = None

    def texts(self, row: dict[str, Any]) -> tuple[str | None, str]:
        """Take source and hypothesis out of a row; what is left in it is neither.

        Raises:
            InputError: If a text is not a string, or is the placeholder.
        """
        source = None if self.source is None else self._take(row, self.source)
        if source is not None and self.source == self.hypothesis:
            return source, source
        return source, self._take(row, self.hypothesis)

    def _take(self, row: dict[str, Any], name: str) -> str:
        value = row.pop(name)
        if not isinstance(value, str):
            raise InputError(f"`{name}` must be a string, got {kind_of(value)}.")
        if value == self.placeholder:
            raise InputError(f"`{name}` is {value!r}: the corpus has no text here; leave it out.")
        return value


def records(rows: Iterable[Row | Reject], make: Callable[[Row], T]) -> Iterator[T | Reject]:
    """The records that rows make; a row of which ``make`` raises an ``InputError`` is a reject."""
    for row in rows:
        if isinstance(row, Reject):
            yield row
            continue
        try:
            made = make(row)
        except InputError as error:
            yield row.reject(str(error))
        else:
            yield made


def all_rows(table: RowStream) -> Iterator[Row]:
    """Rows of which none may be missing.

    Raises:
        DataError: If one cannot be read, with its line.
    """
    for row in table.rows:
        if isinstance(row, Reject):
            raise DataError(f"Line {row.line} of `{table.name}`: {row.reason}")
        yield row


def with_notice(table: RowStream) -> RowStream:
    """The same rows of a table without a header; if the first one may be that, it is said."""
    first = next(table.rows, None)
    cells = list(first.values.values()) if isinstance(first, Row) else []
    if isinstance(first, Row) and len(cells) > 1 and could_be_names(cells):
        logger.info(
            "`%s`: none of the names that are known stands in line %d, so that %s are read as "
            "texts; if they name the columns, say so with --header and name those to read.",
            table.name,
            first.line,
            listed(cells),
        )
    return replace(table, rows=table.rows if first is None else chain([first], table.rows))


def check_unique(header: Sequence[str], name: str) -> None:
    """Refuse a header in which a name stands twice.

    Raises:
        DataError: If one does.
    """
    repeated = sorted({column for column in header if header.count(column) > 1})
    if repeated:
        raise DataError(f"`{name}` has more than one column called `{repeated[0]}`; rename one.")
