"""Work on batches of a table, for engines that cut tables and carry the work to where they lie.

No engine is known here: Ray, Spark, Daft and `datasets` call the same object with what they have.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from headwise.data.jobs.work import Row
from headwise.data.readers.arrow import is_json, table_rows
from headwise.data.readers.rows import RowStream
from headwise.data.records.pairs import Reject
from headwise.data.writers.arrow_columns import arrow_table
from headwise.data.writers.rows import RESERVED_NAMES, beside_reserved
from headwise.errors import InputError

if TYPE_CHECKING:
    import pyarrow

ERROR = "error"
"""The column that says why a row has no result; null for all others."""

Batch = TypeVar("Batch", bound="pyarrow.Table | pyarrow.RecordBatch | Mapping[str, Any]")

_NEVER_RENAMED = {"annotations", "word_tags"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBatch:
    """What a batch holds: its rows, and where their texts stood.

    Attributes:
        rows: Records or rejects, whose ``line`` is the row of the batch, counted from 1.
        texts: Columns of the input by the names that their texts have in the output.
    """

    rows: Iterable[Any]
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class TableWork(ABC, Generic[Row]):
    """Turns batches of rows into the same rows with results; each row stays one row.

    An object of this kind holds names and settings. It travels to other processes as these, and
    loads its model where it is first called, or by :meth:`load`.

    A batch comes as a table or a record batch of Arrow, or as a mapping of names to lists, and
    goes back as what it was. Other columns of the input stay as they are; one that has the name of
    a result is called ``input_<name>``. All batches have the same columns of the same types
    (:meth:`schema`), the last of which is ``error``: why a row has no result.

    Attributes:
        loading: How the model is loaded: ``dtype``, ``device``, ``trust_remote_code``.
        unreadable: A column that says why a row could not be read where it came from, and null of
            all others. Its reasons become errors.
    """

    loading: Mapping[str, Any] = field(default_factory=dict)
    unreadable: str | None = None

    @abstractmethod
    def open(self, path: str | Path) -> AbstractContextManager[RowStream]:
        """Open a file of rows, with its columns named as :meth:`read` knows them.

        Args:
            path: The table.

        Raises:
            DataError: If it is missing or damaged, or its columns are not what is needed.
        """

    @abstractmethod
    def load(self) -> Self:
        """Load what works, if that is not done."""

    @abstractmethod
    def content(self) -> dict[str, Any]:
        """What results follow from, as plain values: settings, and digests of what is loaded."""

    def remark(self, path: Path) -> str | None:  # noqa: ARG002
        """What is to be said of a file before it is worked on, by one who has loaded the model.

        Args:
            path: The file, or one of many.
        """
        return None

    @abstractmethod
    def read(self, table: RowStream) -> ReadBatch:
        """Make records of the rows of a batch.

        Args:
            table: Rows of a table, with the names of its columns.

        Raises:
            DataError: If its columns are not what is needed.
        """

    @abstractmethod
    def results(self, rows: Sequence[Row]) -> Iterable[dict[str, Any] | InputError]:
        """What the output says of each row, by the names of :meth:`fields`, or what is wrong.

        Args:
            rows: What :meth:`read` made of the rows of a batch.
        """

    @abstractmethod
    def fields(self) -> "list[pyarrow.Field]":
        """The columns of the output that are made here; those of texts among them."""

    @property
    def counted(self) -> tuple[str, ...]:
        """The columns of the output that :meth:`figures` reads."""
        return ()

    def figures(self, tables: "Iterable[pyarrow.RecordBatch]") -> dict[str, Any]:  # noqa: ARG002
        """What is to be said about all rows of the output; rows without a result are among them.

        Args:
            tables: Batches of the output.
        """
        return {}

    def schema(self, schema: "pyarrow.Schema") -> "pyarrow.Schema":
        """The columns that batches with these columns become.

        Args:
            schema: The columns of the batches.

        Raises:
            DataError: If what is needed is not among them.
        """
        return self(schema.empty_table()).schema

    def __call__(self, batch: Batch) -> Batch:
        """Work on a batch.

        Args:
            batch: Its columns, N rows of them.

        Returns:
            N rows in the same order.

        Raises:
            DataError: If its columns are not what is needed.
        """
        import pyarrow

        made: Any
        if isinstance(batch, pyarrow.Table):
            made = self._work(batch)
        elif isinstance(batch, pyarrow.RecordBatch):
            table = self._work(pyarrow.Table.from_batches([batch]))
            made = pyarrow.RecordBatch.from_struct_array(table.to_struct_array().combine_chunks())
        else:
            made = self._work(pyarrow.table(dict(batch))).to_pydict()
        return cast(Batch, made)

    def __getstate__(self) -> dict[str, Any]:
        # A model is loaded where the work goes
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def _work(self, table: "pyarrow.Table") -> "pyarrow.Table":
        import pyarrow

        self.load()
        read = self.read(table_rows(table, "the batch"))
        places, rows, errors = self._sort_out(table, read.rows)
        made: list[dict[str, Any]] = [{} for _ in range(len(table))]
        for place, result in zip(places, self.results(rows), strict=True):
            if isinstance(result, InputError):
                errors[place] = str(result)
            else:
                made[place] = result
        for place in errors:
            made[place] = self._texts(table, read.texts, place) | {ERROR: errors[place]}
        schema = pyarrow.schema([*self.fields(), (ERROR, "string")])
        written = arrow_table(made, schema)
        kept = beside_reserved(
            {
                name: table.column(name)
                for name in table.column_names
                if name != self.unreadable and not _is_moved(table, name, read.texts)
            },
            (RESERVED_NAMES - _NEVER_RENAMED) | set(schema.names),
        )
        return pyarrow.table({**kept, **dict(zip(schema.names, written.columns, strict=True))})

    def _sort_out(
        self, table: "pyarrow.Table", read: Iterable[Row | Reject]
    ) -> tuple[list[int], list[Row], dict[int, str]]:
        """The rows to work on, each with its place, and why others cannot be worked on."""
        errors: dict[int, str] = {}
        if self.unreadable is not None:
            said = table.column(self.unreadable).to_pylist()
            errors = {place: reason for place, reason in enumerate(said) if reason is not None}
        found: dict[int, list[Row]] = {}
        for row in read:
            place = row.line - 1
            if isinstance(row, Reject):
                errors.setdefault(place, row.reason)
            else:
                found.setdefault(place, []).append(row)
        for place, several in found.items():
            if len(several) > 1:
                errors.setdefault(
                    place,
                    f"It holds {len(several)} texts to work on; give each of them its row.",
                )
        places = [place for place in found if place not in errors]
        return places, [found[place][0] for place in places], errors

    def _texts(
        self, table: "pyarrow.Table", texts: Mapping[str, str], place: int
    ) -> dict[str, Any]:
        """What a row without a result holds where others have their texts."""
        return {
            name: table.column(column)[place].as_py()
            for name, column in texts.items()
            if _is_moved(table, column, texts)
        }


def _is_moved(table: "pyarrow.Table", name: str, texts: Mapping[str, str]) -> bool:
    """Whether a column is one of texts, which stand in the output under a name of ours."""
    import pyarrow.types as kinds

    column = table.schema.field(name)
    kind = column.type
    is_text = kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_null(kind)
    return is_text and not is_json(column) and name in texts.values()
