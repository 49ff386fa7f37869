"""What a job needs to know of the work that it does."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, TypeVar

from headwise.data.writers import TableColumns
from headwise.errors import InputError


class Numbered(Protocol):
    """A row of the input."""

    @property
    def line(self) -> int:
        """Where it stood, counted from 1."""


Row = TypeVar("Row", bound=Numbered)
Row_contra = TypeVar("Row_contra", bound=Numbered, contravariant=True)
Result = TypeVar("Result")


class RowWork(Protocol[Row_contra, Result]):
    """Turns rows of the input into rows of the output, and keeps figures about these."""

    def results(self, rows: Iterator[Row_contra]) -> Iterator[Result | InputError]:
        """Work lazily: one result a row, in order; an error in the place of a bad row.

        It may read ahead of what it yields.
        """

    def output_row(self, row: Row_contra, result: Result, /) -> dict[str, Any]:
        """What a line of the output says of a row."""

    def content(self, row: Row_contra) -> str:
        """The texts of a row, as a reject shows them."""

    def count(self, output_row: Mapping[str, Any]) -> None:
        """Take a row of the output into the figures, in order; those of earlier runs included.

        Raises:
            KeyError, TypeError or ValueError: If it is not what :meth:`output_row` makes.
        """

    def figures(self) -> dict[str, Any]:
        """What is to be said about all rows of the output; it must go into JSON."""

    def columns(self) -> TableColumns:
        """The columns of the output as a table."""
