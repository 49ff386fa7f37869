"""One place that makes an error of any family but the language model's own."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import assert_never

from headwise.corruption.changes import Changes, apply_changes
from headwise.corruption.families import ErrorFamily
from headwise.corruption.known_texts import CorpusWords, KnownTranslations, folded_words
from headwise.corruption.languages import LANGUAGES
from headwise.corruption.languages.lists import LanguageLists
from headwise.corruption.listed_edits import (
    change_digits,
    change_ending,
    change_negation,
    change_number,
    change_pronoun,
    negate,
)
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
from headwise.corruption.writing_edits import (
    break_word,
    change_capital,
    change_mark,
    change_space,
    move_chunk,
)
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

NEED_LISTS = frozenset({ErrorFamily.NEGATION, ErrorFamily.PRONOUN, ErrorFamily.ENDING})
"""Families that need lists of the language."""

OF_WRITING = frozenset({ErrorFamily.CAPITAL, ErrorFamily.SPACING})
"""Families whose errors are letter case and spaces, which other families do not count."""

# A large corpus takes a while to read: it is read for these alone
_FROM_CORPUS = {
    *(ErrorFamily.REPLACEMENT, ErrorFamily.INSERTION, ErrorFamily.ENDING),
    *(ErrorFamily.CAPITAL, ErrorFamily.SPACING, ErrorFamily.WORD_PART),
}


@dataclass(frozen=True, slots=True)
class ReadText:
    """The hypothesis of a pair, which errors are to be put into; ``folded`` is without letter case.

    ``source`` is ``None`` where it translates nothing. ``refused`` are the words of its source's
    other translations, which are no errors.
    """

    pair: Pair
    words: TextWords
    source: TextWords | None
    folded: tuple[str, ...]
    refused: frozenset[str]


class ErrorMaker:
    """Makes errors that take what they put in from a corpus and from lists.

    Names of the pairs take each other's place, and no error may become one of the pairs. ``crude``
    errors are as simple as can be, and without regard to sources: one word or two neighbours
    change, numbers are digits, and what follows a gap is marked.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        corpus: Sequence[str],
        *,
        families: Collection[ErrorFamily],
        language: str | None,
        crude: bool = False,
    ) -> None:
        self.known = KnownTranslations(pairs)
        self.words = CorpusWords(corpus if _FROM_CORPUS & set(families) else ())
        self._chunks = CorpusWords(corpus if ErrorFamily.CHUNK in families else (), of=str.split)
        self._texts = corpus
        self._names = Names(pairs if ErrorFamily.NAME in families else ())
        self._lists = LANGUAGES.get(language or "", LanguageLists())
        self._crude = crude

    def read(self, pair: Pair) -> ReadText:
        """Find the words of a pair."""
        source = translated_source(pair)
        return ReadText(
            pair=pair,
            words=TextWords(pair.hypothesis),
            source=None if source is None else TextWords(source),
            folded=folded_words(pair.hypothesis),
            refused=frozenset(self.known.other_words(pair)),
        )

    def is_wrong(self, text: ReadText, changes: Changes, families: Collection[ErrorFamily]) -> bool:
        """Whether a text becomes another one, and no correct translation.

        Letter case and spaces make another one only if all the errors are of writing.
        """
        changed, _ = apply_changes(text.words.text, changes)
        exactly = OF_WRITING.issuperset(families)
        same = changed == text.words.text if exactly else folded_words(changed) == text.folded
        return (
            bool(changed.strip())
            and not same
            and not self.known.include(text.pair.source, changed, exactly=exactly)
        )

    def make(self, family: ErrorFamily, text: ReadText, rng: random.Random) -> Changes:
        """Make an error, or none where the text does not allow it.

        Raises:
            ValueError: If the family is ``plausible``, which only a language model can make.
        """
        words, source, refused, crude = text.words, text.source, text.refused, self._crude
        if source is None and family in NEED_SOURCES and not crude:
            return ()
        match family:
            case ErrorFamily.REPLACEMENT:
                return replace_word(words, self.words, rng, refused, parts=crude)
            case ErrorFamily.DELETION:
                return delete_words(words, rng, single=crude)
            case ErrorFamily.INSERTION:
                return insert_word(words, self.words, rng, refused)
            case ErrorFamily.REPETITION:
                return repeat_words(words, rng)
            case ErrorFamily.SWAP:
                return swap_words(words, rng, neighbours=crude)
            case ErrorFamily.TRUNCATION:
                return truncate(words, rng, keeps_mark=source is not None)
            case ErrorFamily.UNTRANSLATED:
                return () if source is None else leave_untranslated(words, source, rng)
            case ErrorFamily.NUMBER if crude:
                return change_digits(words, rng)
            case ErrorFamily.NUMBER:
                return change_number(words, self._lists.numbers, rng)
            case ErrorFamily.NEGATION:
                change = change_negation if crude else negate
                return change(words, self._lists.negation, rng)
            case ErrorFamily.NAME:
                return () if source is None else self._names.change(words, source, rng, refused)
            case ErrorFamily.PRONOUN:
                return change_pronoun(words, self._lists.pronouns, rng, refused)
            case ErrorFamily.ENDING:
                return change_ending(words, self._lists.inflection, rng, self.words.lower)
            case ErrorFamily.FOREIGN_SPAN:
                is_translation = partial(self.known.include, text.pair.source)
                return put_in_foreign_span(words, self._texts, rng, is_translation)
            case ErrorFamily.PUNCTUATION:
                return change_mark(words, rng, source)
            case ErrorFamily.CAPITAL:
                return change_capital(words, self.words, rng)
            case ErrorFamily.SPACING:
                return change_space(words, self.words, rng)
            case ErrorFamily.WORD_PART:
                return break_word(words, self.words, rng)
            case ErrorFamily.CHUNK:
                return move_chunk(words, self._chunks, rng, refused)
            case ErrorFamily.PLAUSIBLE:
                raise ValueError("Only a language model makes errors of the family plausible.")
            case _:
                assert_never(family)
