"""Pairs made of labelled pairs by rules that say their label: what captions alone do not teach.

Heads that learn from captions take shared words for entailment, and texts about different things
for contradictions: two captions of one scene are never about different things.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from headwise.choices import Lesson, NLILabel
from headwise.corruption.changes import Changes, apply_changes
from headwise.corruption.known_texts import folded_words, pair_generator
from headwise.corruption.languages import LANGUAGES
from headwise.corruption.languages.lists import LanguageLists
from headwise.corruption.listed_edits import change_number, negate
from headwise.corruption.text_words import TextWords
from headwise.data.records.inferences import InferencePair

# Words of a larger share of the texts, and of more than a few, say little of what a text is about
_LIGHT, _FEW = 0.02, 2
# A premise that is so much longer than what follows from it says more
_LONGER_BY = 3
_TRIES = 20
_MARKS = " .!?"
_LESSON, _MADE_OF = "lesson", "made_of"

_Rule = Callable[[InferencePair, random.Random], InferencePair | None]


def lesson_pairs(
    pairs: Sequence[InferencePair],
    lessons: Iterable[Lesson],
    *,
    share: float,
    language: str = "en",
    seed: int = 0,
) -> list[InferencePair]:
    """Make pairs of every kind of lesson from labelled pairs.

    Args:
        pairs: Pairs with labels; those without teach nothing.
        lessons: What to teach.
        share: Pairs of each kind, as a share of the given ones; fewer where fewer allow it.
        language: Code of the texts' language, for its negations, numbers and beings.
        seed: Of the draws; the same pairs and seed give the same lessons.

    Returns:
        New pairs; see :func:`lesson_of` and :func:`source_premises`.

    Raises:
        ValueError: If ``share`` is below 0, or there are no lists of the language.
    """
    if not share >= 0.0:
        raise ValueError(f"`share` must be at least 0, got {share}.")
    if language not in LANGUAGES:
        raise ValueError(f"`language` must be one of {', '.join(LANGUAGES)}, got {language!r}.")
    labelled = [pair for pair in pairs if pair.label is not None]
    maker = _LessonMaker(labelled, LANGUAGES[language])
    wanted = round(share * len(labelled))
    found: list[InferencePair] = []
    for lesson in dict.fromkeys(lessons):
        rule, made = maker.rules[lesson], set[tuple[str, str]]()
        number = list(Lesson).index(lesson)
        order = pair_generator(seed, number)
        for place in order.sample(range(len(labelled)), len(labelled)):
            if len(made) == wanted:
                break
            pair = rule(labelled[place], pair_generator(seed, number, place))
            if pair is None or pair.texts in made:
                continue
            made.add(pair.texts)
            found.append(pair)
    return found


def lesson_of(pair: InferencePair) -> str | None:
    """The kind of lesson that a pair is; ``None`` for one that was not made."""
    return pair.extra.get(_LESSON)


def source_premises(pair: InferencePair) -> tuple[str, ...]:
    """The premises that a pair was made of: of one that was not made, its own."""
    premises: tuple[str, ...] = pair.extra.get(_MADE_OF, (pair.premise,))
    return premises


@dataclass(frozen=True)
class _LessonMaker:
    """Makes one pair at a time; ``None`` where a pair does not allow it."""

    pairs: Sequence[InferencePair]
    lists: LanguageLists

    @property
    def rules(self) -> dict[Lesson, _Rule]:
        """The rule of each lesson."""
        return {
            Lesson.UNRELATED: self.unrelated,
            Lesson.JOINED: self.joined,
            Lesson.REPEATED: self.repeated,
            Lesson.CONJOINED: self.conjoined,
            Lesson.REVERSED: self.reversed,
            Lesson.NEGATED: self.negated,
            Lesson.NUMBER: self.number,
            Lesson.ROLES: self.roles,
        }

    @cached_property
    def _light(self) -> frozenset[str]:
        """Words that many texts have."""
        texts = {text for pair in self.pairs for text in pair.texts}
        counts = Counter(word for text in texts for word in set(folded_words(text)))
        return frozenset(word for word, n in counts.items() if n > max(_FEW, _LIGHT * len(texts)))

    def _heavy(self, text: str) -> frozenset[str]:
        return frozenset(folded_words(text)) - self._light

    def _other(self, pair: InferencePair, rng: random.Random) -> InferencePair | None:
        """A pair about something else: no word of content is shared."""
        own = self._heavy(pair.premise) | self._heavy(pair.hypothesis)
        for _ in range(_TRIES):
            other = rng.choice(self.pairs)
            theirs = self._heavy(other.hypothesis)
            if theirs and own.isdisjoint(theirs | self._heavy(other.premise)):
                return other
        return None

    def unrelated(self, pair: InferencePair, rng: random.Random) -> InferencePair | None:
        """The hypothesis of another premise: neutral."""
        if (other := self._other(pair, rng)) is None:
            return None
        of = pair, other
        return _made(Lesson.UNRELATED, pair.premise, other.hypothesis, NLILabel.NEUTRAL, of=of)

    def joined(self, pair: InferencePair, rng: random.Random) -> InferencePair | None:
        """Another premise before or behind its own: the label stays."""
        if (other := self._other(pair, rng)) is None:
            return None
        premise = _sentences(pair.premise, other.premise, rng)
        return _made(Lesson.JOINED, premise, pair.hypothesis, pair.label, of=(pair, other))

    def conjoined(self, pair: InferencePair, rng: random.Random) -> InferencePair | None:
        """Two premises one after another, and *both* hypotheses: as true as the less true one."""
        if (other := self._other(pair, rng)) is None:
            return None
        labels = {pair.label, other.label}
        worst = next(label for label in reversed(NLILabel) if label in labels)
        first, second = pair.hypothesis.rstrip(_MARKS), other.hypothesis.rstrip(_MARKS)
        words = TextWords(second)
        if not first or not len(words):
            return None
        if words[0].istitle():
            second = second[:1].lower() + second[1:]
        claim = f"{first} {self.lists.conjunction} {second}."
        premise = _sentences(pair.premise, other.premise, rng)
        return _made(Lesson.CONJOINED, premise, claim, worst, of=(pair, other))

    def repeated(self, pair: InferencePair, rng: random.Random) -> InferencePair | None:
        """What a premise says, word for word, follows from it among other sentences: entailment."""
        if (other := self._other(pair, rng)) is None:
            return None
        premise = _sentences(pair.premise, other.premise, rng)
        of = pair, other
        return _made(Lesson.REPEATED, premise, pair.premise, NLILabel.ENTAILMENT, of=of)

    def reversed(self, pair: InferencePair, _: random.Random) -> InferencePair | None:
        """A premise that says more than what follows from it does not follow from that: neutral."""
        longer = len(folded_words(pair.premise)) - len(folded_words(pair.hypothesis))
        more = self._heavy(pair.premise) - self._heavy(pair.hypothesis)
        if pair.label is not NLILabel.ENTAILMENT or longer < _LONGER_BY or not more:
            return None
        return _made(Lesson.REVERSED, pair.hypothesis, pair.premise, NLILabel.NEUTRAL, of=(pair,))

    def negated(self, pair: InferencePair, rng: random.Random) -> InferencePair | None:
        """What is true, negated: a contradiction."""
        hypothesis = self._true(pair, rng)
        changes = negate(TextWords(hypothesis), self.lists.negation, rng)
        return _contradiction(Lesson.NEGATED, pair, hypothesis, changes)

    def number(self, pair: InferencePair, rng: random.Random) -> InferencePair | None:
        """What is true, with another number than premise and hypothesis share: a contradiction."""
        hypothesis = self._true(pair, rng)
        changes = change_number(TextWords(hypothesis), self.lists.numbers, rng)
        known = set(folded_words(pair.premise))
        for change in changes:
            old = folded_words(hypothesis[change.start : change.end])
            if not known.issuperset(old) or known.intersection(folded_words(change.text)):
                return None
        return _contradiction(Lesson.NUMBER, pair, hypothesis, changes)

    def roles(self, pair: InferencePair, rng: random.Random) -> InferencePair | None:
        """Who does what to whom the other way round: a contradiction.

        The text has two beings of one number, with a verb or more between them, and nothing that
        would make them do it together. Where it does not follow from the premise, it is its own.
        """
        follows = pair.label is NLILabel.ENTAILMENT
        for text in rng.sample(pair.texts, 2):
            if changes := self._swapped_beings(text):
                premise = pair.premise if follows else text
                return _contradiction(Lesson.ROLES, pair, text, changes, premise=premise)
        return None

    def _swapped_beings(self, text: str) -> Changes:
        words = TextWords(text)
        folded = [words[i].lower() for i in range(len(words))]
        for beings in self.lists.beings:
            places = [i for i, word in enumerate(folded) if word in beings]
            if len(places) != 2 or folded[places[0]] == folded[places[1]]:
                continue
            first, second = places
            between = folded[first + 1 : second]
            if len(between) < 2 or not self.lists.together.isdisjoint(between):
                continue
            if all(word.isalpha() for word in between):
                return (
                    words.with_other(first, folded[second]),
                    words.with_other(second, folded[first]),
                )
        return ()

    def _true(self, pair: InferencePair, rng: random.Random) -> str:
        """A text that is true where the premise is: the premise itself, or what follows from it."""
        if pair.label is NLILabel.ENTAILMENT and rng.random() < 0.5:
            return pair.hypothesis
        return pair.premise


def _contradiction(
    lesson: Lesson,
    pair: InferencePair,
    text: str,
    changes: Changes,
    *,
    premise: str | None = None,
) -> InferencePair | None:
    """A text changed, against the premise of a pair or another one."""
    if not changes:
        return None
    changed, _ = apply_changes(text, changes)
    premise = premise or pair.premise
    return _made(lesson, premise, changed, NLILabel.CONTRADICTION, of=(pair,))


def _sentences(first: str, second: str, rng: random.Random) -> str:
    """Two texts one after another, in either order, each closed by a mark."""
    both = [
        text if text.rstrip().endswith((".", "!", "?")) else f"{text}." for text in (first, second)
    ]
    rng.shuffle(both)
    return " ".join(both)


def _made(
    lesson: Lesson,
    premise: str,
    hypothesis: str,
    label: NLILabel | None,
    *,
    of: Sequence[InferencePair],
) -> InferencePair:
    extra = {_LESSON: lesson.value, _MADE_OF: tuple(pair.premise for pair in of)}
    return InferencePair(premise, hypothesis, label, extra=extra)
