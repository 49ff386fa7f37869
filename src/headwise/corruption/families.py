"""The kinds of errors that a head learns from, and a text that has them."""

from dataclasses import dataclass
from enum import StrEnum

from headwise.corruption.changes import Edit
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Message, Pair


class ErrorFamily(StrEnum):
    """What is done to a text.

    Attributes:
        REPLACEMENT: A word becomes another one of the corpus, by its frequency there.
        PLAUSIBLE: A word becomes one that the language model itself finds possible but unlikely.
        DELETION: One to three words are gone; the gap is marked.
        INSERTION: A word of the corpus is put in; it is marked.
        REPETITION: A word, or two, are said twice; the second time is marked.
        SWAP: Two neighbours, or two words at a distance, change places; both are marked.
        TRUNCATION: The end is missing, its final mark aside; the gap is marked.
        UNTRANSLATED: One to three words of the source stand where their translation should.
        NUMBER: A number, in digits or in words, becomes another one.
        NEGATION: A negation is put in, or a word becomes its opposite (*ein* for *kein*), which is
            marked; or a negation is taken out, which leaves a gap.
        NAME: A name that source and text share becomes another name of the corpus.
        PRONOUN: A pronoun becomes another one.
        ENDING: A word has the wrong case, gender, number or person.
        FOREIGN_SPAN: Two to five words become as many words of another text of the corpus.
    """

    REPLACEMENT = "replacement"
    PLAUSIBLE = "plausible"
    DELETION = "deletion"
    INSERTION = "insertion"
    REPETITION = "repetition"
    SWAP = "swap"
    TRUNCATION = "truncation"
    UNTRANSLATED = "untranslated"
    NUMBER = "number"
    NEGATION = "negation"
    NAME = "name"
    PRONOUN = "pronoun"
    ENDING = "ending"
    FOREIGN_SPAN = "foreign_span"


@dataclass(frozen=True, slots=True)
class Corruption:
    """A text with errors whose places are known.

    Attributes:
        pair: The pair with the errors in its hypothesis. Its ``errors`` are their places, with
            the family as category; a gap has ``start == end``.
        original: The hypothesis as it was.
        family: Family of its first drawn error; where there is more than one, the categories
            name the others.
    """

    pair: Pair
    original: str
    family: ErrorFamily


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
