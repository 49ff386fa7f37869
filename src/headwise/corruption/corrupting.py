"""Put errors into correct texts, mixed in proportions."""

import logging
import random
from collections.abc import Iterable, Sequence
from functools import cache
from typing import assert_never

from headwise.backbones import LanguageBackbone, PromptTemplate
from headwise.corruption.changes import Edit
from headwise.corruption.corpus_words import CorpusWords
from headwise.corruption.drafts import Draft
from headwise.corruption.error_maker import NEED_SOURCES, ErrorMaker
from headwise.corruption.families import CorruptedPair, Corruption, ErrorFamily, ErrorKind
from headwise.corruption.known_translations import KnownTranslations, pair_generator
from headwise.corruption.listed_edits import LISTS, NEGATIONS, other_number
from headwise.corruption.mix import CorruptionMix
from headwise.corruption.negation import change_negation
from headwise.corruption.plausible_errors import plausible_copies
from headwise.corruption.source_edits import translated_source
from headwise.corruption.text_words import TextWords
from headwise.data.records.pairs import Pair
from headwise.errors import TrainingError
from headwise.progress import progress_bar

logger = logging.getLogger(__name__)


def corrupt(
    pairs: Sequence[Pair],
    *,
    mix: CorruptionMix,
    seed: int,
    copies: int = 1,
    corpus: Iterable[str] | None = None,
    backbone: LanguageBackbone | None = None,
    prompt: PromptTemplate | None = None,
    batch_tokens: int = 4096,
    progress: bool = False,
) -> list[Corruption]:
    """Make copies of correct texts with errors whose places are known.

    The family is drawn by its proportion among those that the text allows. No copy is another
    translation that the pairs hold for the same source, and no word that is put in stands in one.

    Args:
        pairs: Correct pairs, or texts that translate nothing: those without a source, and answers
            in a conversation. In these, a changed number, negation, name or pronoun is no error,
            and is not made.
        mix: How often each family is drawn.
        seed: The same seed gives a pair at the same index the same errors, whatever the other
            pairs are, as long as corpus, names and the other translations of its source are the
            same, up to rounding in the language model.
        copies: How many copies to make of each pair.
        corpus: Texts in the language of the hypotheses, whose words are put in; the hypotheses by
            default.
        backbone: The language model whose own words make plausible errors. Without one, that
            family is left out.
        prompt: How a source becomes a prompt for it.
        batch_tokens: Bound on the padded tokens of a batch of the language model.
        progress: Whether to show a progress bar on standard error.

    Returns:
        The copies in order of their pairs; texts that allow no error have none.

    Raises:
        ValueError: If `copies` is less than 1, or a backbone comes without a prompt.
        TrainingError: If none of the families can be made: without a backbone, a source, or lists
            of the language.
        PromptError: If the prompt does not fit the backbone.
    """
    if copies < 1:
        raise ValueError(f"`copies` must be at least 1, got {copies}.")
    if backbone is not None and prompt is None:
        raise ValueError("A `backbone` needs a `prompt` to read the pairs with.")
    if not pairs:
        return []
    weights = _possible_families(mix, pairs, with_model=backbone is not None)
    known = KnownTranslations(pairs)
    texts = [pair.hypothesis for pair in pairs] if corpus is None else list(corpus)
    maker = ErrorMaker(pairs, texts, families=weights, language=mix.language, known=known)
    drafts: list[Draft] = []
    with progress_bar("Corrupting", total=len(pairs), enabled=progress) as advance:
        for index, pair in enumerate(pairs):
            text = maker.read(pair)
            for copy in range(copies):
                rng = pair_generator(seed, index, copy)
                draft = Draft(text, rng=rng, weights=weights, errors_per_text=mix.errors_per_text)
                draft.go_on(maker)
                drafts.append(draft)
            advance(1)
    if waiting := [draft for draft in drafts if draft.waits]:
        assert backbone is not None
        assert prompt is not None
        answers = plausible_copies(
            backbone,
            [draft.text.pair for draft in waiting],
            prompt,
            generators=[draft.rng for draft in waiting],
            known=known,
            batch_tokens=batch_tokens,
        )
        for draft, copied in zip(waiting, answers, strict=True):
            draft.answer(copied, maker)
            draft.go_on(maker)
    return [made for draft in drafts if (made := draft.corruption()) is not None]


def _possible_families(
    mix: CorruptionMix, pairs: Sequence[Pair], *, with_model: bool
) -> dict[ErrorFamily, float]:
    """The weights of the families that can be made of these texts; says which others there are."""
    wanted = {family: weight for family, weight in mix.proportions.items() if weight > 0}
    lacking: dict[ErrorFamily, str] = {}
    for family in wanted:
        if family is ErrorFamily.PLAUSIBLE and not with_model:
            lacking[family] = "needs a language model (`backbone` and `prompt`)"
        elif family in NEED_SOURCES and all(translated_source(p) is None for p in pairs):
            lacking[family] = "needs texts that translate a source"
        elif family in LISTS and mix.language not in LISTS[family]:
            lacking[family] = (
                f"needs the mix to name a `language` out of {', '.join(LISTS[family])}, "
                f"got {mix.language!r}"
            )
    said = "; ".join(f"{family} {reason}" for family, reason in lacking.items())
    if len(lacking) == len(wanted):
        raise TrainingError(f"No family of errors can be made: {said}.")
    if lacking:
        _warn_once(said)
    return {family: weight for family, weight in wanted.items() if family not in lacking}


@cache
def _warn_once(said: str) -> None:
    """Say which families are left out; texts of several parts are corrupted by one mix."""
    logger.warning("Families of errors that are left out: %s.", said)


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
