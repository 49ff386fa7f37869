"""Errors that need no model: words replaced, deleted or swapped, numbers and negations changed."""

import random
from collections.abc import Iterable, Sequence
from typing import assert_never

from headwise.data.pairs import Pair
from headwise.training.corruption.corpus_words import CorpusWords
from headwise.training.corruption.digits import other_number
from headwise.training.corruption.negation import NEGATIONS, change_negation
from headwise.training.corruption.synthetic_errors import (
    CorruptedPair,
    Edit,
    ErrorKind,
    KnownTranslations,
    pair_generator,
)
from headwise.training.corruption.word_edits import TextWords

CRUDE_KINDS = (ErrorKind.REPLACED, ErrorKind.DELETED, ErrorKind.SWAPPED, ErrorKind.NUMBER)


def crude_errors(
    pairs: Sequence[Pair],
    *,
    corpus: Iterable[str],
    seed: int,
    kinds: Sequence[ErrorKind | str] = CRUDE_KINDS,
    language: str | None = None,
) -> list[CorruptedPair]:
    """Put one error into each hypothesis.

    The kind is drawn evenly among those that the hypothesis allows. What an edit makes of one
    translation is never another translation that the pairs hold for the same source.

    Args:
        pairs: Correct pairs.
        corpus: Texts whose words replace others, a frequent word more often than a rare one.
        seed: The same seed gives a pair at the same index the same error.
        kinds: Which errors to make: all but ``plausible``.
        language: Language code of the hypotheses, for ``negation`` only: ``de``.

    Returns:
        One corrupted pair a pair, in order; pairs that allow no error are left out.

    Raises:
        ValueError: If there is no kind, a kind needs a model or a language, or the corpus has no
            word to replace others by.
    """
    chosen = list(dict.fromkeys(map(ErrorKind, kinds)))
    maker = _ErrorMaker(chosen, corpus=corpus, language=language)
    known = KnownTranslations(pairs)
    corrupted = []
    for index, pair in enumerate(pairs):
        rng = pair_generator(seed, index)
        words, refused = TextWords(pair.hypothesis), known.other_words(pair)
        for kind in rng.sample(chosen, len(chosen)):
            edit = maker.edit(kind, words, rng=rng, refused=refused)
            if edit is not None and not known.include(pair.source, edit.text):
                corrupted.append(CorruptedPair.of(pair, edit, kind))
                break
    return corrupted


class _ErrorMaker:
    def __init__(
        self, kinds: list[ErrorKind], *, corpus: Iterable[str], language: str | None
    ) -> None:
        if not kinds or ErrorKind.PLAUSIBLE in kinds:
            raise ValueError(
                f"`kinds` must name some of {', '.join([*CRUDE_KINDS, ErrorKind.NEGATION])}, "
                f"got {[str(kind) for kind in kinds]}; `plausible_errors` makes the other kind."
            )
        if ErrorKind.NEGATION in kinds and language not in NEGATIONS:
            raise ValueError(
                f"Negation needs a `language` out of {', '.join(NEGATIONS)}, got {language!r}."
            )
        self._language = language
        self._corpus = CorpusWords(corpus if ErrorKind.REPLACED in kinds else ())
        if ErrorKind.REPLACED in kinds and not len(self._corpus):
            raise ValueError("`corpus` holds no word inside a sentence to replace others by.")

    def edit(
        self, kind: ErrorKind, words: TextWords, *, rng: random.Random, refused: set[str]
    ) -> Edit | None:
        """Make an error of a kind, or ``None`` where the text does not allow it."""
        match kind:
            case ErrorKind.REPLACED:
                return self._replaced(words, rng, refused)
            case ErrorKind.DELETED:
                return _deleted(words, rng)
            case ErrorKind.SWAPPED:
                return _swapped(words, rng)
            case ErrorKind.NUMBER:
                return other_number(words.text, rng)
            case ErrorKind.NEGATION:
                assert self._language is not None
                return change_negation(words, NEGATIONS[self._language], rng)
            case ErrorKind.PLAUSIBLE:
                raise AssertionError("refused at the start")
            case _:
                assert_never(kind)

    def _replaced(self, words: TextWords, rng: random.Random, refused: set[str]) -> Edit | None:
        places = [i for i in range(len(words)) if words.has_letter(i)]
        if not places:
            return None
        place = rng.choice(places)
        word = self._corpus.draw(rng, refused | {words[place].casefold()})
        return None if word is None else words.with_other(place, word)


def _neighbours(words: TextWords) -> list[int]:
    return [
        i
        for i in range(len(words))
        # Between two equal words nobody can tell which one is missing or out of place
        if words.has_neighbour(i) and words[i].casefold() != words[i + 1].casefold()
    ]


def _deleted(words: TextWords, rng: random.Random) -> Edit | None:
    places = _neighbours(words)
    return words.without(rng.choice(places)) if places else None


def _swapped(words: TextWords, rng: random.Random) -> Edit | None:
    # The capital letter of a sentence's first word would give the error away
    places = [i for i in _neighbours(words) if not words.opens_sentence(i)]
    return words.swapped(rng.choice(places)) if places else None
