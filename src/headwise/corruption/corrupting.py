"""Put errors into correct texts: mixed in proportions, or one crude error each."""

import logging
from collections.abc import Iterable, Sequence

from headwise.backbones import LanguageBackbone, PromptTemplate
from headwise.corruption.drafts import Draft
from headwise.corruption.error_maker import NEED_LISTS, NEED_SOURCES, ErrorMaker
from headwise.corruption.families import Corruption, ErrorFamily
from headwise.corruption.known_texts import pair_generator
from headwise.corruption.languages import LANGUAGES
from headwise.corruption.mix import CorruptionMix
from headwise.corruption.plausible_texts import plausible_changes
from headwise.corruption.source_edits import translated_source
from headwise.data.readers.nested_rows import as_pairs
from headwise.data.records.pairs import Pair, Pairlike
from headwise.errors import TrainingError
from headwise.progress import progress_bar
from headwise.said_once import warn_once

logger = logging.getLogger(__name__)

CRUDE_KINDS = (
    ErrorFamily.REPLACEMENT,
    ErrorFamily.DELETION,
    ErrorFamily.SWAP,
    ErrorFamily.NUMBER,
)
"""What `crude_errors` makes by default; with a language, it can also make negations."""


def corrupt(
    pairs: Sequence[Pairlike],
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
    given = as_pairs(pairs)
    if copies < 1:
        raise ValueError(f"`copies` must be at least 1, got {copies}.")
    if backbone is not None and prompt is None:
        raise ValueError("A `backbone` needs a `prompt` to read the pairs with.")
    if not pairs:
        return []
    weights = _possible_families(mix, given, with_model=backbone is not None)
    texts = [pair.hypothesis for pair in given] if corpus is None else list(corpus)
    maker = ErrorMaker(given, texts, families=weights, language=mix.language)
    drafts: list[Draft] = []
    with progress_bar("Corrupting", total=len(given), enabled=progress) as advance:
        for index, pair in enumerate(given):
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
        answers = plausible_changes(
            backbone,
            [draft.text.pair for draft in waiting],
            prompt,
            generators=[draft.rng for draft in waiting],
            known=maker.known,
            batch_tokens=batch_tokens,
        )
        for draft, change in zip(waiting, answers, strict=True):
            draft.answer(change, maker)
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
        elif family in NEED_LISTS and mix.language not in LANGUAGES:
            lacking[family] = (
                f"needs the mix to name a `language` out of {', '.join(LANGUAGES)}, "
                f"got {mix.language!r}"
            )
    said = "; ".join(f"{family} {reason}" for family, reason in lacking.items())
    if len(lacking) == len(wanted):
        raise TrainingError(f"No family of errors can be made: {said}.")
    if lacking:
        # Texts of several parts are corrupted by one mix
        warn_once(logger, f"Families of errors that are left out: {said}.")
    return {family: weight for family, weight in wanted.items() if family not in lacking}


def crude_errors(
    pairs: Sequence[Pair],
    *,
    corpus: Iterable[str],
    seed: int,
    kinds: Sequence[ErrorFamily | str] = CRUDE_KINDS,
    language: str | None = None,
) -> list[Corruption]:
    """Put one error into each hypothesis, as simple as its family allows.

    A deletion takes one word out and marks the next, a swap lets two neighbours change places, and
    a number is one in digits. The family is drawn evenly among those that the hypothesis allows.
    What an edit makes of one translation is never another translation that the pairs hold for the
    same source.

    Args:
        pairs: Correct pairs.
        corpus: Texts whose words replace others, a frequent word more often than a rare one.
        seed: The same seed gives a pair at the same index the same error.
        kinds: Which families to make, out of the default and ``negation``.
        language: Language code of the hypotheses, for ``negation`` only: ``de`` or ``en``.

    Returns:
        One corrupted pair a pair, in order; pairs that allow no error are left out.

    Raises:
        ValueError: If there is no family, one is not made here or needs a language, or the corpus
            has no word to replace others by.
    """
    chosen = list(dict.fromkeys(map(ErrorFamily, kinds)))
    makeable = (*CRUDE_KINDS, ErrorFamily.NEGATION)
    if not chosen or not set(chosen) <= set(makeable):
        raise ValueError(
            f"`kinds` must name some of {', '.join(makeable)}, "
            f"got {[str(family) for family in chosen]}; `plausible_errors` makes the language "
            "model's own, and `corrupt` all others."
        )
    if ErrorFamily.NEGATION in chosen and language not in LANGUAGES:
        raise ValueError(
            f"Negation needs a `language` out of {', '.join(LANGUAGES)}, got {language!r}."
        )
    maker = ErrorMaker(pairs, list(corpus), families=chosen, language=language, crude=True)
    if ErrorFamily.REPLACEMENT in chosen and not len(maker.words):
        raise ValueError("`corpus` holds no word inside a sentence to replace others by.")
    corrupted = []
    for index, pair in enumerate(pairs):
        rng, text = pair_generator(seed, index), maker.read(pair)
        # All of them in turn: the text may not allow the first
        for family in rng.sample(chosen, len(chosen)):
            changes = maker.make(family, text, rng)
            if changes and maker.is_wrong(text, changes, {family}):
                corrupted.append(Corruption.of(pair, changes, [family]))
                break
    return corrupted
