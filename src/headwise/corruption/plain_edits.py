"""Errors that need neither a language nor a source: words gone, added, moved or said twice."""

import random
from collections.abc import Collection

from headwise.corruption.changes import Change, Changes
from headwise.corruption.known_texts import CorpusWords
from headwise.corruption.text_words import TextWords

# Full-width marks of Chinese and Japanese as well
_FINAL_MARKS = frozenset(".!?…。\uff01\uff1f")
# One, two or three words go; fewer more often
_DELETED_WORDS = (1, 1, 1, 2, 2, 3)
_REPEATED_WORDS = (1, 1, 1, 2)
_SWAP_DISTANCES = (1, 2, 3, 4, 5)
_FAR_SWAPS = 0.5
# What is left of a text that loses its end
_KEPT_SHARE = 0.3


def replace_word(
    words: TextWords,
    corpus: CorpusWords,
    rng: random.Random,
    refused: Collection[str],
    *,
    parts: bool = False,
) -> Changes:
    """Let a word of letters, or part of one like *U-Bahn*, become another word of the corpus."""
    places = [i for i in range(len(words)) if parts or words.stands_alone(i)]
    places = [i for i in places if words.has_letter(i)]
    if not places:
        return ()
    place = rng.choice(places)
    word = corpus.draw(rng, {*refused, words[place].casefold()})
    return () if word is None else (words.with_other(place, word),)


def insert_word(
    words: TextWords, corpus: CorpusWords, rng: random.Random, refused: Collection[str]
) -> Changes:
    """Put a word of the corpus between two words."""
    places = words.runs(2)
    if not places:
        return ()
    place = rng.choice(places)
    around = {words[place].casefold(), words[place + 1].casefold()}
    word = corpus.draw(rng, {*refused, *around})
    return () if word is None else (_put_after(words, place, word),)


def repeat_words(words: TextWords, rng: random.Random) -> Changes:
    """Say a word, or two, twice."""
    count = rng.choice(_REPEATED_WORDS)
    # A neighbour shows what stands between words here: a space, or nothing
    together = {i for first in words.runs(2) for i in (first, first + 1)}
    places = [first for first in words.runs(count) if first in together]
    if not places:
        return ()
    first = rng.choice(places)
    return (_put_after(words, first + count - 1, words.run_text(first, count)),)


def delete_words(words: TextWords, rng: random.Random, *, single: bool = False) -> Changes:
    """Take up to three words out and mark the gap, or a single one and mark the word after it."""
    # A short text loses one
    for count in (1,) if single else (rng.choice(_DELETED_WORDS), 1):
        if places := _different_ends(words, count):
            return (words.without(rng.choice(places), count, gap=not single),)
    return ()


def swap_words(words: TextWords, rng: random.Random, *, neighbours: bool = False) -> Changes:
    """Let two words of one sentence change places, neighbours half of the time at least.

    Words at a distance begin both with a capital letter or both without one: what changes places
    by mistake is often of one kind.
    """
    places: dict[int, list[int]] = {}
    for distance in (1,) if neighbours else _SWAP_DISTANCES:
        found = [
            i
            for i in _different_ends(words, distance)
            # The capital letter of a sentence's first word would give the error away
            if not words.opens_sentence(i)
            and (distance == 1 or words[i][0].isupper() == words[i + distance][0].isupper())
        ]
        if found:
            places[distance] = found
    if not places:
        return ()
    # Where two words at a distance differ, so do two neighbours between them
    far = [distance for distance in places if distance > 1]
    distance = rng.choice(far) if far and rng.random() < _FAR_SWAPS else 1
    first = rng.choice(places[distance])
    if distance == 1:
        return (words.swapped(first),)
    return (
        words.with_other(first, words[first + distance]),
        words.with_other(first + distance, words[first]),
    )


def truncate(words: TextWords, rng: random.Random, *, keeps_mark: bool) -> Changes:
    """Take the end away, all but the final mark if that may stay.

    In a text that translates nothing, nobody could tell then that something is missing.
    """
    length = sum(words.is_word(i) for i in range(len(words)))
    places, passed = [], 0
    following = set(words.runs(2))
    for i in range(len(words)):
        passed += words.is_word(i)
        if i in following and passed >= _KEPT_SHARE * length:
            places.append(i)
    if not places:
        return ()
    start = words.ranges[rng.choice(places)][1]
    end = len(words.text)
    if keeps_mark and words[len(words) - 1] in _FINAL_MARKS and rng.random() < 0.5:
        end = words.ranges[-1][0]
    return (Change(start, end, "", (0, 0)),)


def _different_ends(words: TextWords, distance: int) -> list[int]:
    """Words of which another one stands at a distance within their run."""
    # Of equal words nobody can tell which one is missing or out of place
    return [
        first
        for first in words.runs(distance + 1)
        if words[first].casefold() != words[first + distance].casefold()
    ]


def _put_after(words: TextWords, index: int, text: str) -> Change:
    """Put text after a word, with what stands between words there."""
    at = index if index in words.runs(2) else index - 1
    space = words.text[words.ranges[at][1] : words.ranges[at + 1][0]]
    return words.with_word_after(index, text, space)
