"""Errors from other translations: a few words of one stand in another."""

import random
from collections.abc import Callable, Sequence

from headwise.training.corruption.changes import Change, Changes
from headwise.training.corruption.word_edits import TextWords

_FEWEST, _MOST = 2, 5
# Whether a text has a run that fits is only seen when it is drawn
_MAX_DRAWS = 20


def put_in_foreign_span(
    words: TextWords,
    corpus: Sequence[str],
    rng: random.Random,
    is_translation: Callable[[str], bool],
) -> Changes:
    """Let two to five words, at most half of the text, become as many of another text.

    Args:
        words: The text.
        corpus: The other texts.
        rng: Draws.
        is_translation: Whether a text translates the same source.
    """
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
        if size < _FEWEST:
            continue
        text = other.run_text(first + skipped, size)
        return (Change.of(words.text, words.with_other(place + skipped, text, size)),)
    return ()
