"""Where the texts stand in a row: formats, column names, and how they are found."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from headwise.data.readers.rows import Columns
from headwise.data.records.json_values import listed


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


@dataclass(frozen=True, slots=True)
class Role:
    """A column that a record is made of, and the names that it is known by, in any case.

    Of its ``ranks`` of names an earlier one wins; two names of one rank are ambiguous.
    Errors end with ``remedy``, and if no name is there, also with ``otherwise``.
    """

    name: str
    ranks: tuple[tuple[str, ...], ...]
    remedy: str = ""
    otherwise: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All known names."""
        return tuple(name for rank in self.ranks for name in rank)

    def look_for(self, present: Sequence[str]) -> str | None:
        """The column that is known by its name, if there is one.

        Raises:
            LookupError: If several are.
        """
        for rank in self.ranks:
            found = [name for name in present if folded(name) in rank]
            if len(found) > 1:
                raise LookupError(
                    f"{listed(found)} could each be the {self.name}; {self._remedy()}"
                )
            if found:
                return found[0]
        return None

    def find(self, present: Sequence[str], chosen: str | None) -> str:
        """The column that was chosen, or is known by its name.

        Raises:
            LookupError: If it is not there, or several could be meant. The message says which
                and what to do.
        """
        if chosen is not None:
            if chosen not in present:
                raise LookupError(f"there is no `{chosen}`; found {listed(present)}")
            return chosen
        found = self.look_for(present)
        if found is None:
            raise LookupError(
                f"there is no {self.name} ({', '.join(self.names)}); found {listed(present)}; "
                f"{self._remedy()}{self.otherwise}"
            )
        return found

    def _remedy(self) -> str:
        return self.remedy or f"name it with `{self.name}_column`"


SOURCE = Role(
    "source",
    (("original", "source", "src"),),
    otherwise=", or set `has_source=False` for text on its own",
)
HYPOTHESIS = Role("hypothesis", (("hyp", "hypothesis", "mt", "target", "tgt", "translation"),))


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

    def columns(self, present: Sequence[str]) -> Columns:
        """Find the texts among the columns of a table or the keys of an object.

        Raises:
            LookupError: If a column is not there, or several could be meant. The message says
                which and what to do.
        """
        source = SOURCE.find(present, self.source_column) if self.has_source else None
        return Columns(source, HYPOTHESIS.find(present, self.hypothesis_column))


def knows_any(cells: Iterable[str], *roles: Role) -> bool:
    """Whether a known name of a role is among cells: then they are a header."""
    return any(folded(cell) in role.names for cell in cells for role in roles)


def folded(name: str) -> str:
    """A column's name without what readers do not tell apart: case, and spaces around it."""
    return name.strip().casefold()
