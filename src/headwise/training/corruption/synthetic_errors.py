"""Errors put into correct text on purpose, so that their places are known.

With them, a score's power to find wrong tokens can be measured without human labels.
"""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from headwise.data.error_spans import ErrorSpan
from headwise.data.pairs import Message, Pair
from headwise.data.words import word_ranges


class ErrorKind(StrEnum):
    """What was done to the text.

    Attributes:
        REPLACED: A word became another word of a corpus.
        DELETED: A word was taken out; the error is the word after the gap.
        SWAPPED: A word and its right neighbour changed places; the error is both.
        NUMBER: A number became another one with as many digits.
        NEGATION: A negation was taken out (the error is what follows the gap) or put in.
        PLAUSIBLE: A word became one that the language model itself finds possible but unlikely.
    """

    REPLACED = "replaced"
    DELETED = "deleted"
    SWAPPED = "swapped"
    NUMBER = "number"
    NEGATION = "negation"
    PLAUSIBLE = "plausible"


@dataclass(frozen=True, slots=True)
class CorruptedPair:
    """A pair with one error whose place is known.

    Attributes:
        source: The source text; ``None`` for text on its own.
        hypothesis: The text with the error.
        original: The hypothesis as it was.
        kind: What was done to it.
        start: Where the error begins in ``hypothesis``, in characters.
        end: Where it ends, exclusive.
        history: The messages before the hypothesis, if it is a turn of a conversation.
    """

    source: str | None
    hypothesis: str
    original: str
    kind: ErrorKind
    start: int
    end: int
    history: tuple[Message, ...] = ()

    @classmethod
    def of(cls, pair: Pair, edit: "Edit", kind: ErrorKind) -> "CorruptedPair":
        """A pair after an edit of its hypothesis."""
        return cls(
            pair.source, edit.text, pair.hypothesis, kind, edit.start, edit.end, pair.history
        )

    def marked(self) -> Pair:
        """The corrupted text as a pair with its error marked, the kind as category."""
        error = ErrorSpan(self.start, self.end, category=self.kind.value)
        return Pair(self.source, self.hypothesis, history=self.history, errors=(error,))


@dataclass(frozen=True, slots=True)
class Edit:
    """A changed text and the place of the change.

    Attributes:
        text: The whole text after the change.
        start: Where the error begins in it, in characters.
        end: Where it ends, exclusive.
    """

    text: str
    start: int
    end: int


class KnownTranslations:
    """All hypotheses that the given pairs hold for each source.

    Where a source has several correct translations, an edit may by accident turn one into
    another, or put in the very word that another one uses.

    Args:
        pairs: Correct pairs. Texts without a source are translations of nothing.
    """

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self._words: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
        for pair in pairs:
            if pair.source is not None:
                self._words[pair.source].add(folded_words(pair.hypothesis))

    def include(self, source: str | None, text: str) -> bool:
        """Whether a text is a known translation, letter case and spaces aside."""
        return source is not None and folded_words(text) in self._words[source]

    def other_words(self, pair: Pair) -> set[str]:
        """The words, case-folded, of all other translations of the pair's source."""
        if pair.source is None:
            return set()
        others = self._words[pair.source] - {folded_words(pair.hypothesis)}
        return {word for words in others for word in words}


def pair_generator(seed: int, *numbers: int) -> random.Random:
    """The source of randomness of one pair, whatever other pairs there are.

    Args:
        seed: Of all pairs.
        numbers: Which pair, and which of its copies if there are several.
    """
    return random.Random("/".join(map(str, (seed, *numbers))))


def folded_words(text: str) -> tuple[str, ...]:
    """The words of a text without letter case: what two equal translations share."""
    return tuple(text[start:end].casefold() for start, end in word_ranges(text))
