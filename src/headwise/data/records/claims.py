"""Claims that are to be checked, as rows of a file have them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim, and the source that it is checked against.

    Attributes:
        claim: One statement.
        source: ``None`` where one source, which stands elsewhere, is that of all rows.
        line: Where it stood in its file, counted from 1; 0 if it came from no file.
        extra: Other columns of the row.
    """

    claim: str
    source: str | None = None
    line: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> str:
        """Source, if it has one, and claim, as a reject shows them."""
        return self.claim if self.source is None else f"{self.source}\t{self.claim}"
