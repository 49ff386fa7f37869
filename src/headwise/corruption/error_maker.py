"""One place that makes an error of any family but the language model's own."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import assert_never

from headwise.corruption.changes import Changes, apply_changes
from headwise.corruption.corpus_words import CorpusWords
from headwise.corruption.families import ErrorFamily
from headwise.corruption.known_translations import KnownTranslations, folded_words
from headwise.corruption.listed_edits import change_ending, change_number, change_pronoun, negate
from headwise.corruption.plain_edits import (
    delete_words,
    insert_word,
    repeat_words,
    replace_word,
    swap_words,
    truncate,
)
from headwise.corruption.source_edits import (
    Names,
    leave_untranslated,
    put_in_foreign_span,
    translated_source,
)
from headwise.corruption.text_words import TextWords
from headwise.data.records.pairs import Pair

NEED_SOURCES = frozenset(
    {
        ErrorFamily.UNTRANSLATED,
        ErrorFamily.NUMBER,
        ErrorFamily.NEGATION,
        ErrorFamily.NAME,
        ErrorFamily.PRONOUN,
    }
)
"""Families that are no errors, or none that show, in a text that translates nothing."""

_FROM_CORPUS = {ErrorFamily.REPLACEMENT, ErrorFamily.INSERTION, ErrorFamily.ENDING}


@dataclass(frozen=True, slots=True)
class ReadText:
    """A text that errors are to be put into.

    Attributes:
        pair: The pair that it is the hypothesis of.
        words: Its words.
        source: Those of its source; ``None`` where it translates nothing.
        folded: Its words without letter case.
        refused: The words of its source's other translations, which are no errors.
    """

    pair: Pair
    words: TextWords
    source: TextWords | None
    folded: tuple[str, ...]
    refused: frozenset[str]


class ErrorMaker:
    """Makes errors that take what they put in from a corpus and from lists.

    Args:
        pairs: Correct pairs, whose names take each other's place.
        corpus: Texts whose words are put in.
        families: What will be asked for.
        language: Language code of the hypotheses.
        known: Texts that are correct.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        corpus: Sequence[str],
        *,
        families: Collection[ErrorFamily],
        language: str | None,
        known: KnownTranslations,
    ) -> None:
        self._texts = corpus
        self._words = CorpusWords(corpus if _FROM_CORPUS & set(families) else ())
        self._names = Names(pairs if ErrorFamily.NAME in families else ())
        self._language = language
        self._known = known

    def read(self, pair: Pair) -> ReadText:
        """Find the words of a pair."""
        source = translated_source(pair)
        return ReadText(
            pair=pair,
            words=TextWords(pair.hypothesis),
            source=None if source is None else TextWords(source),
            folded=folded_words(pair.hypothesis),
            refused=frozenset(self._known.other_words(pair)),
        )

    def is_wrong(self, text: ReadText, changes: Changes) -> bool:
        """Whether a text becomes another one, and no correct translation."""
        changed, _ = apply_changes(text.words.text, changes)
        return (
            bool(changed.strip())
            and folded_words(changed) != text.folded
            and not self._known.include(text.pair.source, changed)
        )

    def make(self, family: ErrorFamily, text: ReadText, rng: random.Random) -> Changes:
        """Make an error, or none where the text does not allow it.

        Raises:
            ValueError: If the family is ``plausible``, which only a language model can make.
        """
        if text.source is None and family in NEED_SOURCES:
            return ()
        words, source, refused = text.words, text.source, text.refused
        match family:
            case ErrorFamily.REPLACEMENT:
                return replace_word(words, self._words, rng, refused)
            case ErrorFamily.DELETION:
                return delete_words(words, rng)
            case ErrorFamily.INSERTION:
                return insert_word(words, self._words, rng, refused)
            case ErrorFamily.REPETITION:
                return repeat_words(words, rng)
            case ErrorFamily.SWAP:
                return swap_words(words, rng)
            case ErrorFamily.TRUNCATION:
                return truncate(words, rng, keeps_mark=source is not None)
            case ErrorFamily.UNTRANSLATED:
                return () if source is None else leave_untranslated(words, source, rng)
            case ErrorFamily.NUMBER:
                return change_number(words, self._language, rng)
            case ErrorFamily.NEGATION:
                return () if self._language is None else negate(words, self._language, rng)
            case ErrorFamily.NAME:
                return () if source is None else self._names.change(words, source, rng, refused)
            case ErrorFamily.PRONOUN:
                if self._language is None:
                    return ()
                return change_pronoun(words, self._language, rng, refused)
            case ErrorFamily.ENDING:
                if self._language is None:
                    return ()
                return change_ending(words, self._language, rng, self._words.lower)
            case ErrorFamily.FOREIGN_SPAN:
                is_translation = partial(self._known.include, text.pair.source)
                return put_in_foreign_span(words, self._texts, rng, is_translation)
            case ErrorFamily.PLAUSIBLE:
                raise ValueError("Only a language model makes errors of the family plausible.")
            case _:
                assert_never(family)
