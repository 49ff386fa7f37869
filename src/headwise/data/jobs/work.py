"""What a job needs of the rows of its input, and of the work that is done to them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from headwise.data.writers import TableColumns
from headwise.errors import InputError


class TextRow(Protocol):
    """A row of the input."""

    @property
    def line(self) -> int:
        """Where it stood, counted from 1."""

    @property
    def content(self) -> str:
        """Its texts, as a reject shows them; the longer they are, the longer the work takes."""


Row = TypeVar("Row", bound=TextRow)
Row_contra = TypeVar("Row_contra", bound=TextRow, contravariant=True)


class RowWork(Protocol[Row_contra]):
    """Turns rows of the input into rows of the output, and keeps figures about these."""

    @property
    def most_rows(self) -> int:
        """How many rows are worth working on together."""

    def output_rows(self, rows: Sequence[Row_contra]) -> Iterable[dict[str, Any] | InputError]:
        """Work on rows: what a line of the output says of each, in order, or what is wrong.

        Args:
            rows: Rows of the input, of one window.
        """

    def count(self, output_row: Mapping[str, Any]) -> None:
        """Take a row of the output into the figures, in order; those of earlier runs included.

        Args:
            output_row: A row of the output, as it was written.

        Raises:
            KeyError, TypeError or ValueError: If it is not what :meth:`output_rows` makes.
        """

    def content_of(self, output_row: Mapping[str, Any]) -> str:
        """The texts of the row that a row of the output was made of, as its ``content``.

        Args:
            output_row: A row that an earlier run wrote.
        """

    def figures(self) -> dict[str, Any]:
        """What is to be said about all rows of the output; it must go into JSON."""

    def columns(self) -> TableColumns:
        """The columns of the output as a table."""
