"""Correct texts together with copies of them that have errors of known place."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from headwise.backbones import LanguageBackbone, PromptTemplate
from headwise.choices import ERROR_FAMILIES, SAMPLED
from headwise.corruption.by_language import LanguageGroup, by_language
from headwise.corruption.corrupting import CRUDE_KINDS, corrupt, crude_errors
from headwise.corruption.families import Corruption, ErrorFamily
from headwise.corruption.mix import CorruptionMix
from headwise.corruption.plausible_texts import plausible_errors
from headwise.data.readers.nested_rows import as_pairs
from headwise.data.records.pairs import Pair, Pairlike

CRUDE, PLAUSIBLE = ERROR_FAMILIES
# Alike on a scale of ratios; a text needs two words for each
_SEVERAL = {1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0, 6: 1.0, 8: 1.0, 12: 1.0, 16: 1.0}


@dataclass(frozen=True, slots=True)
class ErrorTexts:
    """Texts whose errors are known.

    Attributes:
        pairs: Pairs with ``errors``, ``()`` where there are none.
        families: What kind of error each has, ``None`` for none.
        groups: What each is a version of: its source, or the correct text where there is none.
    """

    pairs: tuple[Pair, ...]
    families: tuple[str | None, ...]
    groups: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """How many texts have errors of each family, by name."""
        return dict(sorted(Counter(one for one in self.families if one is not None).items()))

    def with_samples(self, samples: Sequence[Pair]) -> Self:
        """These texts, and after them what :func:`sampled_errors` made of their sources.

        Args:
            samples: The language model's own texts, with their marks.
        """
        return type(self)(
            (*self.pairs, *samples),
            (*self.families, *(SAMPLED if pair.errors else None for pair in samples)),
            (*self.groups, *(group_of(pair, pair.hypothesis) for pair in samples)),
        )


def synthetic_errors(
    backbone: LanguageBackbone,
    pairs: Sequence[Pairlike],
    prompt: PromptTemplate,
    *,
    families: Sequence[str] = ERROR_FAMILIES,
    corpus: Iterable[str] | None = None,
    language: str | None = None,
    seed: int = 0,
) -> dict[str, list[Corruption]]:
    """Make a copy with one error of each pair, crude or plausible or both.

    Args:
        backbone: The language model that makes the plausible errors.
        pairs: Correct pairs.
        prompt: How a source becomes a prompt for it.
        families: ``crude``, ``plausible`` or both.
        corpus: Texts whose words replace others in crude errors; by default those of the pairs
            that the prompt has in the same language.
        language: Language code of the hypotheses; with one, crude errors change negations, too.
        seed: Of the errors.

    Returns:
        The copies of each family, in order of their pairs, language by language; pairs that allow
        no error have none.

    Raises:
        ValueError: If a family is unknown, or there are no lists for the language.
    """
    given = as_pairs(pairs)
    if unknown := set(families) - set(ERROR_FAMILIES):
        raise ValueError(
            f"`families` must name {' or '.join(ERROR_FAMILIES)}, got {min(unknown)!r}."
        )
    kinds = CRUDE_KINDS if language is None else (*CRUDE_KINDS, ErrorFamily.NEGATION)
    words = None if corpus is None else list(corpus)
    made: dict[str, list[Corruption]] = {}
    # Without pairs there is no corpus either, which crude errors would refuse
    for family in families if given else ():
        if family == CRUDE:
            made[family] = [
                one
                for group in by_language(given, prompt).values()
                for one in crude_errors(
                    group.pairs,
                    corpus=group.texts if words is None else words,
                    seed=seed,
                    kinds=kinds,
                    language=language,
                )
            ]
        else:
            made[family] = plausible_errors(backbone, given, prompt, seed=seed)
    return made


def several_errors(
    backbone: LanguageBackbone,
    pairs: Sequence[Pairlike],
    prompt: PromptTemplate,
    *,
    language: str | None = None,
    seed: int = 0,
    progress: bool = False,
) -> list[Corruption]:
    """Make a copy of each pair with one to sixteen errors, of all families that it allows.

    In texts with one error each, a text says little about its words; translations differ more.

    Args:
        backbone: The language model that makes the plausible errors.
        pairs: Correct pairs.
        prompt: How a source becomes a prompt for it.
        language: Language code of the hypotheses, for errors that need lists of words; by default
            what the prompt says of each.
        seed: Of the errors.
        progress: Whether to show a progress bar on standard error.

    Returns:
        The copies in order of their pairs, language by language; pairs that allow no error have
        none.
    """
    mix = replace(CorruptionMix.default(language), errors_per_text=_SEVERAL)
    given = as_pairs(pairs)
    return mixed_errors(backbone, given, prompt, mix=mix, seed=seed, progress=progress)


def mixed_errors(
    backbone: LanguageBackbone,
    pairs: Sequence[Pair],
    prompt: PromptTemplate,
    *,
    mix: CorruptionMix,
    seed: int,
    copies: int = 1,
    corpora: Mapping[str | None, LanguageGroup] | None = None,
    progress: bool = False,
) -> list[Corruption]:
    """Errors of a mix in texts of several languages, by what is known of each one's language.

    ``corpora`` has texts whose words are put in, by language; by default, and of a language that is
    not among them, these are the pairs' own. The rest is that of
    :func:`~headwise.corruption.corrupt`.
    """
    return [
        one
        for name, group in by_language(pairs, prompt).items()
        for one in corrupt(
            group.pairs,
            mix=mix if mix.language else replace(mix, language=group.code),
            seed=seed,
            copies=copies,
            corpus=(corpora or {}).get(name, group).texts,
            backbone=backbone,
            prompt=prompt,
            progress=progress,
        )
    ]


def with_error_copies(pairs: Sequence[Pairlike], copies: Iterable[Corruption]) -> ErrorTexts:
    """Correct pairs, marked as free of errors, and after them their copies with errors.

    Args:
        pairs: Correct pairs.
        copies: What was made of them.
    """
    given = as_pairs(pairs)
    made = list(copies)
    return ErrorTexts(
        (*(replace(pair, errors=(), tags=None) for pair in given), *(one.pair for one in made)),
        (*(None for _ in given), *(one.family.value for one in made)),
        (
            *(group_of(pair, pair.hypothesis) for pair in given),
            *(group_of(one.pair, one.original) for one in made),
        ),
    )


def group_of(pair: Pair, text: str) -> str:
    """What a text is a version of: its conversation or source, or itself if it has none."""
    if pair.history:
        return repr(pair.history)
    return text if pair.source is None else pair.source
