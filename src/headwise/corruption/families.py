"""The families of errors, and a text that has some."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from headwise.corruption.changes import Changes, apply_changes
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair


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
        PUNCTUATION: A mark is another one, or twice, or stands where there is none, which is
            marked; or it is gone or has moved, which leaves a gap.
        CAPITAL: A word has a capital letter for a small one or the other way round, or has
            capitals throughout.
        SPACING: Two words run together, a word falls into two, or a space stands before a mark.
        WORD_PART: Part of a word is gone, said twice, or another word's.
        CHUNK: What stands between two spaces, with the punctuation that it brings, becomes
            another of the corpus, is put in, or changes places with the next.
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
    PUNCTUATION = "punctuation"
    CAPITAL = "capital"
    SPACING = "spacing"
    WORD_PART = "word_part"
    CHUNK = "chunk"


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

    @classmethod
    def of(cls, pair: Pair, changes: Changes, families: Sequence[ErrorFamily]) -> Self:
        """A pair after changes of its hypothesis, with the family of each.

        Args:
            pair: The correct pair.
            changes: What was done to its hypothesis.
            families: The family of each change, in their order.
        """
        text, places = apply_changes(pair.hypothesis, changes)
        errors = sorted(
            (
                ErrorSpan(start, end, category=family.value)
                for (start, end), family in zip(places, families, strict=True)
            ),
            key=lambda error: (error.start, error.end),
        )
        corrupted = replace(pair, hypothesis=text, errors=tuple(errors), tags=None)
        return cls(corrupted, pair.hypothesis, families[0])
