"""Changes of an answer after which it says what its context does not."""

import random
import re
from collections.abc import Collection, Sequence

from headwise.corruption.changes import Change, Changes
from headwise.corruption.grounded.mentions import (
    DETERMINERS,
    PREPOSITIONS,
    Kind,
    Mention,
    content_words,
    mentions,
    said,
)
from headwise.corruption.languages.lists import Alternatives
from headwise.corruption.listed_edits import change_number
from headwise.corruption.text_words import TextWords
from headwise.data.quantities.calendar_words import MONTHS, WEEKDAYS

_YEAR = re.compile(r"1[0-9]{3}|20[0-9]{2}")
# How far from the true year a wrong one lies at most
_YEARS = 30
_MAX_DRAWS = 20
_DETAIL_WORDS = range(2, 7)
# Words that begin alike may be forms of one word
_SAME_STEM = 5


def other_entity(
    words: TextWords, context: frozenset[str], known: dict[Kind, list[str]], rng: random.Random
) -> Changes:
    """Let a name or a thing become one of another document; ``context`` are its folded words."""
    places = mentions(words)
    if not places:
        return ()
    mention = rng.choice(places)
    for _ in range(_MAX_DRAWS if known[mention.kind] else 0):
        other = rng.choice(known[mention.kind])
        if not _is_known(other, context):
            return _named(words, mention, other)
    return ()


def other_relation(words: TextWords, source: TextWords, rng: random.Random) -> Changes:
    """Let two names or things change places, or one become another of the same context."""
    places = mentions(words)
    ways: list[Changes] = []
    for number, left in enumerate(places):
        for right in places[number + 1 :]:
            apart = right.first - left.first - left.count
            if left.kind is right.kind and apart > 1 and said(words, left) != said(words, right):
                both = _named(words, left, said(words, right))
                ways.append((*both, *_named(words, right, said(words, left))))
    own = content_words([words.text])
    for mention in places:
        for other in mentions(source):
            text = said(source, other)
            if other.kind is mention.kind and not content_words([text]) & own:
                ways.append(_named(words, mention, text))
    return rng.choice(ways) if ways else ()


def other_number(
    words: TextWords, context: frozenset[str], numbers: Alternatives, rng: random.Random
) -> Changes:
    """Let a number, but no year, become one that is not among the words of the context."""
    for _ in range(_MAX_DRAWS):
        changes = change_number(words, numbers, rng)
        if not changes:
            return ()
        (change,) = changes
        old = words.text[change.start : change.end]
        if change.text.casefold() not in context and _YEAR.fullmatch(old) is None:
            return changes
    return ()


def other_date(words: TextWords, context: frozenset[str], rng: random.Random) -> Changes:
    """Let a month, a day of the week or a year become one that the context does not have."""
    choices: list[tuple[int, list[str]]] = []
    for i in range(len(words)):
        word, low = words[i], words[i].lower()
        if _YEAR.fullmatch(word):
            year = int(word)
            choices.append((i, [str(year + d) for d in range(-_YEARS, _YEARS + 1) if d]))
        elif word[0].isupper() and len(word) > _SAME_STEM - 2 and low in MONTHS:
            choices.append((i, _like(low, MONTHS)))
        elif word[0].isupper() and low in WEEKDAYS:
            choices.append((i, _like(low, WEEKDAYS)))
    if not choices:
        return ()
    place, others = rng.choice(choices)
    free = [other for other in others if other.casefold() not in context]
    if not free:
        return ()
    new = rng.choice(free)
    return (words.with_other(place, new[0].upper() + new[1:]),)


def added_detail(
    words: TextWords, context: frozenset[str], details: Sequence[str], rng: random.Random
) -> Changes:
    """Put where, when or with what before the mark that ends the text."""
    last = len(words) - 1
    if last < 1 or words.is_word(last) or not words.is_word(last - 1) or not details:
        return ()
    for _ in range(_MAX_DRAWS):
        detail = rng.choice(details)
        if not content_words([detail]) & context:
            return (words.with_word_after(last - 1, detail),)
    return ()


def other_sentence(
    words: TextWords, context: frozenset[str], sentences: Sequence[str], rng: random.Random
) -> Changes:
    """Put a sentence of another document before the text or after it."""
    for _ in range(_MAX_DRAWS if sentences else 0):
        sentence = rng.choice(sentences)
        own = content_words([sentence])
        if not own or len(own & context) * 3 > len(own):
            continue
        end = len(words.text)
        if rng.random() < 0.5:
            return (Change(0, 0, sentence + " ", (0, len(sentence))),)
        return (Change(end, end, " " + sentence, (1, len(sentence) + 1)),)
    return ()


def details_of(text: str) -> list[str]:
    """What is said of where, when and with what at the end of a text, if anything."""
    words = TextWords(text)
    last = len(words) - 1
    if last < 1 or words.is_word(last):
        return []
    for first in range(last - 1, 0, -1):
        if words[first].lower() not in PREPOSITIONS:
            continue
        count = last - first
        named = any(words[i].lower() in DETERMINERS for i in range(first, last))
        runs = count in _DETAIL_WORDS and first in words.runs(count)
        return [words.run_text(first, count)] if runs and named else []
    return []


def _is_known(text: str, context: Collection[str]) -> bool:
    """Whether a word of a text, or another form of it, is among some folded words."""
    stems = {word[:_SAME_STEM] for word in context}
    return any(word[:_SAME_STEM] in stems for word in content_words([text]))


def _named(words: TextWords, mention: Mention, text: str) -> Changes:
    """Another name or thing in the place of one, behind the article that it needs."""
    change = words.with_other(mention.first, text, mention.count)
    if mention.kind is not Kind.ONE or not mention.first:
        return (change,)
    article = words[mention.first - 1]
    wanted = "an" if text[0].lower() in "aeiou" else "a"
    if article.lower() not in ("a", "an") or article.lower() == wanted:
        return (change,)
    start = words.ranges[mention.first - 1][0]
    wanted = wanted.capitalize() if article[0].isupper() else wanted
    begun = wanted + words.text[start + len(article) : change.start]
    marked = (len(begun), len(begun) + len(change.text))
    return (Change(start, change.end, begun + change.text, marked),)


def _like(word: str, table: dict[str, int]) -> list[str]:
    """Words of a table about as long as one of it, none of which means the same."""
    shortened = len(word) <= _SAME_STEM - 1 and table is MONTHS
    return [
        other
        for other, number in table.items()
        if number != table[word] and (len(other) <= _SAME_STEM - 1) == shortened
    ]
