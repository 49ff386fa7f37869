"""Correct texts and copies of them with errors, all scored in one pass."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from headwise.backbones import EncodedPair
from headwise.choices import ERROR_SETS
from headwise.corruption import Corruption
from headwise.corruption.error_copies import synthetic_errors
from headwise.data.records.pairs import Pair, Reject
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.evaluation.quality.independent_errors import (
    INDEPENDENT,
    IndependentError,
    independent_errors,
)
from headwise.evaluation.quality.judged_texts import JudgedText
from headwise.quality import QualityEstimator


@dataclass(frozen=True, slots=True, kw_only=True)
class CorruptedSet:
    """Correct texts, and copies of them with errors.

    Attributes:
        references: The correct texts; texts of one source have the same group.
        copies: Copies with errors by where these come from, some of `ERROR_SETS`.
        originals: For each copy of a family the index of its reference.
        unreadable: Texts that the model cannot read, or whose row lacks what its prompt takes.
    """

    references: tuple[JudgedText, ...]
    copies: Mapping[str, tuple[JudgedText, ...]]
    originals: Mapping[str, tuple[int, ...]]
    unreadable: tuple[Reject, ...] = ()

    @property
    def texts(self) -> tuple[JudgedText, ...]:
        """References and all copies."""
        return (*self.references, *(text for texts in self.copies.values() for text in texts))


def corrupted_set(
    estimator: QualityEstimator,
    pairs: Sequence[Pair],
    *,
    signals: Sequence[Signal | str],
    alternatives_only: bool = False,
    families: Sequence[str] = ERROR_SETS,
    corpus: Iterable[str] | None = None,
    language: str | None = None,
    seed: int = 0,
    progress: bool = False,
) -> CorruptedSet:
    """Corrupt correct texts, of which equal ones count once, and score everything in one pass.

    The language model of the estimator makes plausible errors; crude and independent ones take
    words from the corpus, or the references, and crude ones change negations of a language that is
    given.
    ``alternatives_only`` leaves out sources with a single reference.

    Raises:
        ValueError: If a family is unknown, or nothing is left to corrupt.
    """
    readable, unreadable = _readable(estimator, pairs)
    kept = _distinct(readable, alternatives_only=alternatives_only)
    texts = None if corpus is None else list(corpus)
    made: dict[str, Sequence[Corruption | IndependentError]] = {
        **synthetic_errors(
            estimator.backbone,
            kept,
            estimator.prompt,
            families=[family for family in families if family != INDEPENDENT],
            corpus=texts,
            language=language,
            seed=seed,
        )
    }
    if INDEPENDENT in families:
        made[INDEPENDENT] = independent_errors(kept, corpus=texts, seed=seed)
    correct = [replace(pair, errors=(), tags=None) for pair in kept]
    wrong = [error.pair for errors in made.values() for error in errors]
    scored = list(
        estimator.score_many([*correct, *wrong], signals=signals, errors="yield", progress=progress)
    )
    places = {(pair.source, pair.hypothesis): index for index, pair in enumerate(kept)}
    copies: dict[str, tuple[JudgedText, ...]] = {}
    originals: dict[str, tuple[int, ...]] = {}
    of_copies = iter(scored[len(kept) :])
    for family, errors in made.items():
        # An error can make a text longer than the model can read
        good = [
            (_judged(one, error.original), places[error.pair.source, error.original])
            for error, one in zip(errors, of_copies, strict=False)
            if isinstance(one, ScoredHypothesis)
        ]
        copies[family] = tuple(text for text, _ in good)
        originals[family] = tuple(place for _, place in good)
    return CorruptedSet(
        references=tuple(
            _judged(one, one.hypothesis)
            for one in scored[: len(kept)]
            if isinstance(one, ScoredHypothesis)
        ),
        copies=copies,
        originals=originals,
        unreadable=unreadable,
    )


def _judged(scored: ScoredHypothesis, original: str) -> JudgedText:
    """A text beside what it belongs to: its source, or the correct text if there is none."""
    return JudgedText(scored=scored, group=original if scored.source is None else scored.source)


def _distinct(pairs: Sequence[Pair], *, alternatives_only: bool) -> list[Pair]:
    by_source: defaultdict[str | None, dict[str, Pair]] = defaultdict(dict)
    for pair in pairs:
        if pair.source is not None or not alternatives_only:
            by_source[pair.source].setdefault(pair.hypothesis, pair)
    fewest = 2 if alternatives_only else 1
    kept = [p for found in by_source.values() if len(found) >= fewest for p in found.values()]
    if not kept:
        raise ValueError(
            "No source has two different references; the protocol `ambiguity` needs rows that "
            "repeat a source with other translations."
            if alternatives_only
            else "There is no text to put errors into."
        )
    return kept


def _readable(
    estimator: QualityEstimator, pairs: Sequence[Pair]
) -> tuple[list[Pair], tuple[Reject, ...]]:
    codes = estimator.backbone.encode(
        [(pair.given, pair.hypothesis) for pair in pairs],
        estimator.prompt,
        rows=[pair.extra for pair in pairs],
    )
    kept, rejects = list[Pair](), list[Reject]()
    for pair, code in zip(pairs, codes, strict=True):
        if isinstance(code, EncodedPair):
            kept.append(pair)
        else:
            rejects.append(Reject(pair.line, str(code), pair.content))
    if rejects and not kept:
        raise ValueError(
            f"The model can read none of the {len(pairs):,} texts; the first one: "
            f"{rejects[0].reason}"
        )
    return kept, tuple(rejects)
