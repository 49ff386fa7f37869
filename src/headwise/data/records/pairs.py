"""Records of what is to be scored, and of rows that cannot be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.word_tags import WordTags

Message = Mapping[str, str]
"""One message of a conversation: its ``role`` and its ``content``."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A hypothesis to score, with what it answers to or translates.

    Attributes:
        source: The source text; ``None`` for text on its own. In a conversation, the content of
            the last user message, if there is one.
        line: Where it stood in its file, counted from 1; 0 if it came from no file.
        extra: Other columns of its row, handed through to the output.
        history: The messages before the hypothesis, if it is a turn of a conversation.
        errors: What people marked as wrong in the hypothesis. ``()`` if they found nothing,
            ``None`` if nobody looked.
        tags: What they said of each of its words, if they were asked that way.
    """

    source: str | None
    hypothesis: str
    line: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Message, ...] = ()
    errors: tuple[ErrorSpan, ...] | None = None
    tags: WordTags | None = None

    @property
    def content(self) -> str:
        """The texts, as a reject shows them."""
        return self.hypothesis if self.source is None else f"{self.source}\t{self.hypothesis}"

    @property
    def given(self) -> str | tuple[Message, ...] | None:
        """What a prompt is made of: the conversation if there is one, otherwise the source."""
        return self.history or self.source

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
