"""Put statements into supported answers that their contexts do not support."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from headwise.corruption.changes import Changes, apply_changes
from headwise.corruption.grounded.edits import (
    added_detail,
    details_of,
    other_date,
    other_entity,
    other_number,
    other_relation,
    other_sentence,
)
from headwise.corruption.grounded.families import GroundedFamily
from headwise.corruption.grounded.mentions import Kind, content_words, mentions, said
from headwise.corruption.known_texts import pair_generator
from headwise.corruption.languages import LANGUAGES, check_language
from headwise.corruption.languages.lists import LanguageLists
from headwise.corruption.listed_edits import negate
from headwise.corruption.text_words import TextWords
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair


@dataclass(frozen=True, slots=True)
class UnsupportedAnswer:
    """An answer that says what its context does not, at known places.

    Attributes:
        pair: Context and answer, as source and hypothesis; its ``errors`` are the places, with the
            family as category. Where a negation was taken out, there is a gap.
        family: What was done.
        number: Which of the given pairs it was made of, from 0.
    """

    pair: Pair
    family: GroundedFamily
    number: int


def unsupported_answers(
    pairs: Sequence[Pair],
    *,
    families: Sequence[GroundedFamily] = tuple(GroundedFamily),
    copies: int = 1,
    seed: int = 0,
    language: str | None = "en",
) -> list[UnsupportedAnswer]:
    """Make copies of answers with one unsupported statement each.

    What is put in comes from the other pairs. A copy is of any family that its answer allows, all
    equally probable; an answer that allows none has no copy.

    Args:
        pairs: Contexts and answers that they support.
        families: What may be done.
        copies: Of each answer, at most; no two are the same.
        seed: Of what is drawn. A copy depends on it, its own pair's number and the corpus.
        language: Code of the answers' language, for its numbers and negations; ``None`` for none.
            Things and details are known in English alone, names in any language.

    Raises:
        ValueError: If there are no lists of the language, ``copies`` is below 1, or a pair has no
            context.
    """
    check_language(language)
    if copies < 1:
        raise ValueError(f"`copies` must be at least 1, got {copies}.")
    maker = _Maker(pairs, language)
    found: list[UnsupportedAnswer] = []
    for number in range(len(pairs)):
        made: set[str] = set()
        for copy in range(copies):
            rng = pair_generator(seed, number, copy)
            for family in rng.sample(families, len(families)):
                answer = maker.made(family, number, rng)
                if answer is not None and answer.pair.hypothesis not in made:
                    made.add(answer.pair.hypothesis)
                    found.append(answer)
                    break
    return found


class _Maker:
    """Knows what other documents speak of, and makes statements of it."""

    def __init__(self, pairs: Sequence[Pair], language: str | None) -> None:
        self._pairs = pairs
        self._lists = LANGUAGES.get(language or "", LanguageLists())
        known: dict[Kind, dict[str, None]] = {kind: {} for kind in Kind}
        details: dict[str, None] = {}
        for number, pair in enumerate(pairs):
            if pair.source is None:
                raise ValueError(f"The pair at index {number} has no context (`source`).")
            for text in (pair.source, pair.hypothesis):
                words = TextWords(text)
                for mention in mentions(words):
                    known[mention.kind][said(words, mention)] = None
                details |= dict.fromkeys(details_of(text))
        # In the order of the pairs, which no hash decides
        self._known = {kind: list(texts) for kind, texts in known.items()}
        self._details = list(details)
        self._sentences = list(dict.fromkeys(pair.hypothesis for pair in pairs))

    def made(
        self, family: GroundedFamily, number: int, rng: random.Random
    ) -> UnsupportedAnswer | None:
        """The pair with a statement of a family; ``None`` where the answer does not allow it."""
        pair = self._pairs[number]
        assert pair.source is not None
        changes = self._changes(family, TextWords(pair.hypothesis), pair.source, rng)
        text, places = apply_changes(pair.hypothesis, changes)
        if text.casefold() in (pair.hypothesis.casefold(), pair.source.casefold()):
            return None
        errors = tuple(ErrorSpan(a, b, category=family.value) for a, b in sorted(places))
        return UnsupportedAnswer(
            replace(pair, hypothesis=text, errors=errors, tags=None), family, number
        )

    def _changes(
        self, family: GroundedFamily, words: TextWords, source: str, rng: random.Random
    ) -> Changes:
        context = content_words([source, words.text])
        match family:
            case GroundedFamily.ENTITY:
                return other_entity(words, context, self._known, rng)
            case GroundedFamily.RELATION:
                return other_relation(words, TextWords(source), rng)
            case GroundedFamily.NUMBER:
                context |= {w.casefold() for w in source.split()}
                return other_number(words, context, self._lists.numbers, rng)
            case GroundedFamily.DATE:
                return other_date(words, context, rng)
            case GroundedFamily.NEGATION:
                return negate(words, self._lists.negation, rng)
            case GroundedFamily.DETAIL:
                return added_detail(words, context, self._details, rng)
            case GroundedFamily.SENTENCE:
                return other_sentence(words, context, self._sentences, rng)
            case _:
                assert_never(family)
