"""Right texts together with copies of them that have errors of known place."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from headwise.corruption.corrupting import CRUDE_KINDS, crude_errors
from headwise.corruption.families import CorruptedPair, ErrorKind
from headwise.corruption.plausible_errors import plausible_errors
from headwise.data.records.pairs import Pair
from headwise.quality import QualityEstimator

CRUDE, PLAUSIBLE = "crude", "plausible"
FAMILIES = (CRUDE, PLAUSIBLE)


def error_copies(
    estimator: QualityEstimator,
    pairs: Sequence[Pair],
    *,
    families: Sequence[str] = FAMILIES,
    corpus: Iterable[str] | None = None,
    kinds: Sequence[ErrorKind | str] = CRUDE_KINDS,
    language: str | None = None,
    seed: int = 0,
) -> dict[str, list[CorruptedPair]]:
    """Make a copy with one error of each pair and family.

    Args:
        estimator: Its language model makes the plausible errors.
        pairs: Right pairs.
        families: ``crude``, ``plausible`` or both.
        corpus: Texts whose words replace others in crude errors; those of the pairs by default.
        kinds: Kinds of crude errors.
        language: Language code of the hypotheses, for negations among the kinds.
        seed: Of the errors.

    Returns:
        The copies of each family, in order of their pairs; pairs that allow no error have none.

    Raises:
        ValueError: If a family is unknown, or a kind of crude errors cannot be made.
    """
    if unknown := set(families) - set(FAMILIES):
        raise ValueError(f"`families` must name {' or '.join(FAMILIES)}, got {min(unknown)!r}.")
    made: dict[str, list[CorruptedPair]] = {}
    for family in families if pairs else ():
        if family == CRUDE:
            words = [pair.hypothesis for pair in pairs] if corpus is None else corpus
            made[family] = crude_errors(
                pairs, corpus=words, seed=seed, kinds=kinds, language=language
            )
        else:
            made[family] = plausible_errors(estimator.backbone, pairs, estimator.prompt, seed=seed)
    return made


def with_error_copies(
    estimator: QualityEstimator, pairs: Sequence[Pair], *, families: Sequence[str], seed: int
) -> tuple[list[Pair], list[str]]:
    """Right pairs and copies with errors, all of them marked.

    Returns:
        The pairs, marked as free of errors, and their copies; and for each of these texts the
        source of its pair, or the right text if there is no source.

    Raises:
        ValueError: If a family is unknown.
    """
    found = [replace(pair, errors=(), tags=None) for pair in pairs]
    groups = [pair.hypothesis if pair.source is None else pair.source for pair in found]
    for copies in error_copies(estimator, pairs, families=families, seed=seed).values():
        found += [copy.marked() for copy in copies]
        groups += [copy.original if copy.source is None else copy.source for copy in copies]
    return found, groups
