"""Errors that a translation makes with its source: words left as they were, and other names."""

import random
from collections.abc import Callable, Collection, Sequence

from headwise.corruption.changes import Changes
from headwise.corruption.text_words import TextWords
from headwise.data.records.pairs import Pair

_UNTRANSLATED_WORDS = (1, 1, 2, 2, 3)
# Shorter ones are mostly initials
_SHORTEST_NAME = 3
_FEWEST, _MOST = 2, 5
# Whether a text has a run that fits is only seen when it is drawn
_MAX_DRAWS = 20


def translated_source(pair: Pair) -> str | None:
    """The source that a text translates; an answer in a conversation translates none."""
    return None if pair.history else pair.source


def leave_untranslated(words: TextWords, source: TextWords, rng: random.Random) -> Changes:
    """Let one to three words of the source stand at a similar place of the translation.

    None of them stands in the translation already.
    """
    count = rng.choice(_UNTRANSLATED_WORDS)
    translated = {words[i].casefold() for i in range(len(words))}
    foreign = [
        first
        for first in source.runs(count)
        if all(
            source.has_letter(i) and source[i].casefold() not in translated
            for i in range(first, first + count)
        )
    ]
    places = [
        first
        for first in words.runs(count)
        if all(map(words.has_letter, range(first, first + count)))
    ]
    if not places or not foreign:
        return ()
    place = rng.choice(places)
    here = place / len(words)
    # A capital letter that only a sentence's beginning explains is none in its middle
    fitting = [i for i in foreign if source.opens_sentence(i) == words.opens_sentence(place)]
    if not fitting:
        return ()
    nearest = min(fitting, key=lambda first: abs(first / len(source) - here))
    return (words.with_other(place, source.run_text(nearest, count), count),)


class Names:
    """Names that sources and translations share: with a capital letter inside sentences of both."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        found: set[str] = set()
        for pair in pairs:
            source = translated_source(pair)
            if source is not None:
                shared = _capital_words(TextWords(source))
                found |= shared & _capital_words(TextWords(pair.hypothesis))
        # In an order that no hash decides
        self._names = sorted(found)
        self._known = frozenset(found)

    def change(
        self, words: TextWords, source: TextWords, rng: random.Random, refused: Collection[str]
    ) -> Changes:
        """Let a name that stands in the source as well become another one."""
        given = {source[i] for i in range(len(source))}
        places = [i for i in words.runs(1) if words[i] in self._known and words[i] in given]
        if not places:
            return ()
        place = rng.choice(places)
        # Evenly: in many a corpus one name is more frequent than all others together
        name = rng.choice(self._names)
        if name in given or name.casefold() in refused:
            return ()
        return (words.with_other(place, name),)


def _capital_words(words: TextWords) -> set[str]:
    return {
        words[i]
        for i in range(len(words))
        if len(words[i]) >= _SHORTEST_NAME
        and words[i][0].isupper()
        and words[i].isalpha()
        and not words.opens_sentence(i)
    }


def put_in_foreign_span(
    words: TextWords,
    corpus: Sequence[str],
    rng: random.Random,
    is_translation: Callable[[str], bool],
) -> Changes:
    """Let two to five words, at most half of the text, become as many of another text."""
    most = min(_MOST, len(words.runs(1)) // 2)
    if most < _FEWEST or not corpus:
        return ()
    count = rng.randint(_FEWEST, most)
    places = words.runs(count)
    for _ in range(_MAX_DRAWS if places else 0):
        place = rng.choice(places)
        other = TextWords(rng.choice(corpus))
        opens = words.opens_sentence(place)
        runs = [first for first in other.runs(count) if other.opens_sentence(first) == opens]
        if not runs or is_translation(other.text):
            continue
        first = rng.choice(runs)
        old = [words[place + i].casefold() for i in range(count)]
        new = [other[first + i].casefold() for i in range(count)]
        # Words that both share at an end are no error
        different = [i for i in range(count) if old[i] != new[i]]
        if not different:
            continue
        skipped, size = different[0], different[-1] - different[0] + 1
        # A single other word would be an error of another family, the replacement
        if size < _FEWEST:
            continue
        text = other.run_text(first + skipped, size)
        return (words.with_other(place + skipped, text, size),)
    return ()
