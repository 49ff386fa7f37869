"""Where the texts stand in a row: formats, column names, and how they are found."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from headwise.data.records.json_values import kind_of
from headwise.data.records.pairs import Pair
from headwise.errors import DataError, InputError

SOURCE_NAMES = frozenset({"source", "src", "original"})
HYPOTHESIS_NAMES = frozenset({"hypothesis", "hyp", "mt", "target", "tgt", "translation"})


class Format(StrEnum):
    """A file format that rows can be read from.

    Attributes:
        TSV: Tab-separated columns, with or without a header; also plain text, a line a row.
        JSONL: One JSON object a line.
        PARQUET: Apache Parquet.
    """

    TSV = "tsv"
    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a reader is told about a file; what is ``None`` is found out.

    A column named here is taken as it is: rows are then not read as conversations (``messages``)
    or as the marks of raters (MQM), whatever other columns there are.

    Attributes:
        format: The file's format; by default its suffix says it. A folder has only one.
        source_column: Name of the source column or key; by default one of ``source``, ``src``
            and ``original``, in any case. Where a column ``translation`` holds texts by
            language, the language of the source; by default the first.
        hypothesis_column: Name of the hypothesis column or key; by default one of
            ``hypothesis``, ``hyp``, ``mt``, ``target``, ``tgt`` and ``translation``. In such a
            column ``translation``, the language of the hypothesis.
        has_source: Whether the hypotheses have a source. Otherwise a source column, if there is
            one, is handed through like any other.
        header: Whether the first row of a TSV file names the columns; by default it does if one
            of the names above stands in it.
    """

    format: Format | None = None
    source_column: str | None = None
    hypothesis_column: str | None = None
    has_source: bool = True
    header: bool | None = None

    @property
    def names_columns(self) -> bool:
        """Whether a column is named here."""
        return self.source_column is not None or self.hypothesis_column is not None

    def is_header(self, cells: Sequence[str]) -> bool:
        """Whether the first row of a TSV file names its columns."""
        if self.header is not None:
            return self.header
        if self.names_columns:
            return True  # only a header can hold the name that was asked for
        return any(folded(cell) in SOURCE_NAMES | HYPOTHESIS_NAMES for cell in cells)

    def columns(self, names: Iterable[str]) -> "Columns":
        """Find the texts among the columns of a table or the keys of an object.

        Raises:
            LookupError: If a column is not there, or several could be meant. The message says
                which and what to do.
        """
        present = list(names)
        return Columns(
            source=self._find(present, "source") if self.has_source else None,
            hypothesis=self._find(present, "hypothesis"),
        )

    def _find(self, present: list[str], role: str) -> str:
        chosen = self.source_column if role == "source" else self.hypothesis_column
        known = SOURCE_NAMES if role == "source" else HYPOTHESIS_NAMES
        listed = ", ".join(f"`{name}`" for name in present) or "none"
        if chosen is not None:
            if chosen not in present:
                raise LookupError(f"there is no `{chosen}`; found {listed}")
            return chosen
        found = [name for name in present if folded(name) in known]
        if len(found) == 1:
            return found[0]
        remedy = f"name it with `{role}_column`"
        if found:
            several = ", ".join(f"`{name}`" for name in found)
            raise LookupError(f"{several} could each be the {role}; {remedy}")
        if role == "source":
            remedy += ", or set `has_source=False` for text on its own"
        raise LookupError(
            f"there is no {role} ({', '.join(sorted(known))}); found {listed}; {remedy}"
        )


@dataclass(frozen=True, slots=True)
class Columns:
    """The names under which a row holds its texts.

    Attributes:
        source: ``None`` for text on its own.
        hypothesis: The name of the text to score.
        placeholder: What stands in place of a text that there is none of, if it is known.
    """

    source: str | None
    hypothesis: str
    placeholder: str | None = None

    def pair(self, row: Mapping[str, Any], line: int) -> Pair:
        """Make a pair of a row; everything that is not one of its texts becomes ``extra``.

        Raises:
            InputError: If a text is not a string, or is the placeholder.
        """
        texts = (self.source, self.hypothesis)
        return Pair(
            source=None if self.source is None else self._text(row, self.source),
            hypothesis=self._text(row, self.hypothesis),
            line=line,
            extra={name: value for name, value in row.items() if name not in texts},
        )

    def _text(self, row: Mapping[str, Any], name: str) -> str:
        value = row[name]
        if not isinstance(value, str):
            raise InputError(f"`{name}` must be a string, got {kind_of(value)}.")
        if value == self.placeholder:
            raise InputError(f"`{name}` is {value!r}: the corpus has no text here; leave it out.")
        return value


@contextmanager
def finding_columns(header: Sequence[str], name: str) -> Iterator[None]:
    """Let columns be looked for in the header of a table called ``name``.

    Raises:
        DataError: If a column stands there twice, or a ``LookupError`` says what is not found.
    """
    repeated = sorted({column for column in header if header.count(column) > 1})
    if repeated:
        raise DataError(f"`{name}` has more than one column called `{repeated[0]}`; rename one.")
    try:
        yield
    except LookupError as error:
        raise DataError(f"In the header of `{name}` {error.args[0]}.") from None


def folded(name: str) -> str:
    """A column's name without what readers do not tell apart: case, and spaces around it."""
    return name.strip().casefold()
