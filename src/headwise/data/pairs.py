"""Records of what is to be scored, and of rows that cannot be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Pair:
    """A hypothesis to score, with what it answers to or translates.

    Attributes:
        source: The source text; ``None`` for text on its own.
        hypothesis: The text to score.
        line: Where it stood in its file, counted from 1; 0 if it came from no file.
        extra: Other columns of its row, handed through to the output.
    """

    source: str | None
    hypothesis: str
    line: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, pair: "Pair | tuple[str | None, str]") -> "Pair":
        """A pair from itself or from a tuple of source and hypothesis.

        Raises:
            TypeError: If it is neither.
        """
        if isinstance(pair, Pair):
            return pair
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise TypeError(f"A pair must be (source, hypothesis), got {pair!r}.")
        return cls(*pair)


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be scored.

    Attributes:
        line: Where it stood in its file, counted from 1.
        reason: What is wrong with it and what would be right, in one sentence.
        content: The row as it could be read; undecodable bytes are escaped.
    """

    line: int
    reason: str
    content: str
