"""Records of what is to be scored, and of rows that cannot be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headwise.data.records.error_spans import ErrorSpan, Range
from headwise.data.records.word_tags import WordTags, read_marks

Message = Mapping[str, str]
"""One message of a conversation: its ``role`` and its ``content``."""


_OF_OBJECTS = frozenset({"source", "hypothesis", "annotations", "word_tags"})


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
        unsure: Characters of which nobody knows whether they are right, and, with equal ends,
            places of which nobody knows whether something is missing, where ``errors`` are what
            references say. An error head learns nothing from them.
    """

    source: str | None
    hypothesis: str
    line: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Message, ...] = ()
    errors: tuple[ErrorSpan, ...] | None = None
    tags: WordTags | None = None
    unsure: tuple[Range, ...] = ()

    @property
    def content(self) -> str:
        """The texts, as a reject shows them."""
        return self.hypothesis if self.source is None else f"{self.source}\t{self.hypothesis}"

    @property
    def given(self) -> str | tuple[Message, ...] | None:
        """What a prompt is made of: the conversation if there is one, otherwise the source."""
        return self.history or self.source

    @classmethod
    def of(cls, pair: "AnyPair") -> "Pair":
        """A ``pair`` from itself, from (source, hypothesis), or from an object with these keys.

        Raises:
            TypeError: If it is nothing of the kind.
        """
        if isinstance(pair, Pair):
            return pair
        if isinstance(pair, Mapping) and "hypothesis" in pair:
            extra = {name: value for name, value in pair.items() if name not in _OF_OBJECTS}
            marks = pair.get("annotations"), pair.get("word_tags")
            errors, tags = read_marks(*marks, pair["hypothesis"])
            return cls(
                pair.get("source"), pair["hypothesis"], extra=extra, errors=errors, tags=tags
            )
        if isinstance(pair, (str, Mapping)) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise TypeError(
                f"A pair must be (source, hypothesis), a `Pair`, or an object with `hypothesis` "
                f"and `source`, got {pair!r}."
            )
        return cls(*pair)


AnyPair = Pair | tuple[str | None, str] | Mapping[str, Any]
"""What is understood as a pair, see :meth:`Pair.of`."""

Pairlike = AnyPair | tuple[str | list[Message] | None, str] | list[Message]
"""The same and conversations, see :func:`~headwise.data.readers.nested_rows.as_pair`."""


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
