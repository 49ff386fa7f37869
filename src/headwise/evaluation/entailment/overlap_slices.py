"""Pairs whose surface suggests an answer: those that a shallow model answers without reading.

A model that takes shared words for entailment is right on entailed pairs of such a slice and wrong
on the others; so slices are cut by the gold as well. The third heuristic of McCoy et al.,
constituents, would need a parser and is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from headwise.corruption import NEGATION_DE
from headwise.data.records.words import word_ranges
from headwise.evaluation.entailment.judged_pairs import JudgedInference
from headwise.heads import NLILabel
from headwise.metrics.inputs import Bools

NEGATION_WORDS_EN = frozenset(
    (
        *("not", "no", "n't", "cannot", "never", "none", "nobody", "nothing", "nowhere"),
        *("neither", "nor", "without"),
    )
)
NEGATION_WORDS_DE = NEGATION_DE.negations
NEGATION_WORDS: Mapping[str, frozenset[str]] = {
    "en": NEGATION_WORDS_EN,
    "de": NEGATION_WORDS_DE,
}
"""Words that negate, by language; in English also every word that ends in ``n't``."""

_QUARTER = 0.25


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the pairs; ``members`` says of each whether it is one, ``(N,)``."""

    name: str
    members: Bools


def overlap_slices(
    inferences: Sequence[JudgedInference], *, language: str | None = "en"
) -> tuple[Slice, ...]:
    """Slices by how much of the hypothesis stands in the premise; empty ones are left out.

    ``lexical overlap``: every word of the hypothesis is one of the premise. ``subsequence``: the
    hypothesis is a run of neighbouring words of the premise. Words are compared without case, and
    marks do not count. ``language``, of the negation words, is ``en`` or ``de``; ``None`` gives no
    such slice.

    Raises:
        ValueError: If the language has no list of words.

    References:
        McCoy, Pavlick & Linzen 2019, arXiv 1902.01007, section 2 (lexical overlap, subsequence);
        Gururangan et al. 2018, arXiv 1803.02324 (negation as a sign of contradiction).
    """
    if language is not None and language not in NEGATION_WORDS:
        raise ValueError(
            f"`language` must be one of {', '.join(NEGATION_WORDS)}, or None, got {language!r}."
        )
    words = cache(_words)
    sides = [(words(one.premise), words(one.hypothesis)) for one in inferences]
    share = np.array([_shared(premise, hypothesis) for premise, hypothesis in sides])
    whole = np.array([_is_run(hypothesis, premise) for premise, hypothesis in sides], dtype=bool)
    entailed = np.array([one.label is NLILabel.ENTAILMENT for one in inferences], dtype=bool)
    contradicted = np.array([one.label is NLILabel.CONTRADICTION for one in inferences], dtype=bool)
    low, high = (float(cut) for cut in np.quantile(share, [_QUARTER, 1 - _QUARTER]))
    of_share = {}
    if low < high:
        of_share = {
            f"at most {low:.0%} of words shared": share <= low,
            f"at least {high:.0%} of words shared": share >= high,
        }
    found = [Slice("all pairs", np.ones(len(inferences), dtype=np.bool_))]
    for name, members in {
        "lexical overlap": share == 1.0,
        "subsequence": whole,
        **of_share,
    }.items():
        found += _split(name, members, entailed, "entailed")
    if language is not None:
        lists = NEGATION_WORDS[language]
        negated = np.array(
            [_negates(lists, h) and not _negates(lists, p) for p, h in sides], dtype=bool
        )
        name = f"negation only in the hypothesis ({language})"
        found += _split(name, negated, contradicted, "contradicted")
    return tuple(one for one in found if one.members.any())


def _split(name: str, members: Bools, by_gold: Bools, gold: str) -> list[Slice]:
    return [
        Slice(f"{name}, {gold}", members & by_gold),
        Slice(f"{name}, not {gold}", members & ~by_gold),
    ]


def _words(text: str) -> tuple[str, ...]:
    plain = text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    pieces = (plain[start:end] for start, end in word_ranges(plain))
    return tuple(piece for piece in pieces if any(map(str.isalnum, piece)))


def _shared(premise: tuple[str, ...], hypothesis: tuple[str, ...]) -> float:
    known = set(premise)
    return sum(word in known for word in hypothesis) / len(hypothesis) if hypothesis else 0.0


def _is_run(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    size = len(part)
    return size > 0 and any(
        whole[start : start + size] == part for start in range(len(whole) - size + 1)
    )


def _negates(negations: frozenset[str], words: tuple[str, ...]) -> bool:
    contracted = "n't" in negations
    return any(word in negations or (contracted and word.endswith("n't")) for word in words)
