"""Errors made by the lists of a language: numbers, pronouns, endings and negations."""

import random
import re
from collections.abc import Collection

from headwise.corruption.changes import Change, Changes
from headwise.corruption.languages.lists import Alternatives, Inflection, NegationWords
from headwise.corruption.text_words import TextWords

# Runs of digits: *3.5* and *10:30* have two, *20th* has one
_NUMBER = re.compile("[0-9]+")
_APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"

_Choice = tuple[int, tuple[str, ...]]
"""Which word may change, and what into."""


def change_digits(words: TextWords, rng: random.Random) -> Changes:
    """Change a number in digits; it keeps its length."""
    found = list(_NUMBER.finditer(words.text))
    if not found:
        return ()
    match = rng.choice(found)
    old = new = match.group()
    while new == old:
        # A zero in front would give the error away, unless there was one
        first = rng.choice("0123456789" if old[0] == "0" else "123456789")
        new = first + "".join(rng.choices("0123456789", k=len(old) - 1))
    return (Change(*match.span(), new, (0, len(new))),)


def change_number(words: TextWords, number_words: Alternatives, rng: random.Random) -> Changes:
    """Change a number in digits, or a number word of the language."""
    choices = _listed(words, number_words)
    in_digits = len(_NUMBER.findall(words.text))
    if rng.random() * (in_digits + len(choices)) < in_digits:
        return change_digits(words, rng)
    return _replaced(words, choices, rng)


def change_pronoun(
    words: TextWords, pronouns: Alternatives, rng: random.Random, refused: Collection[str]
) -> Changes:
    """Let a pronoun become another one that no other translation has."""
    choices = _listed(words, pronouns, refused)
    # The capital letter of *Sie* is a matter of that word
    return _replaced(words, choices, rng, keeps_capital=False)


def change_ending(
    words: TextWords, inflection: Inflection, rng: random.Random, known: Collection[str]
) -> Changes:
    """Give a word another of its endings; its forms are looked up among known words."""
    choices = _listed(words, inflection.irregular)
    for i in range(1, len(words)):
        word = words[i]
        if not word.islower() or word in inflection.irregular or not words.stands_alone(i):
            continue
        for rule in inflection.rules:
            if rule.after is not None and words[i - 1].lower() not in rule.after:
                continue
            if forms := rule.forms(word, known):
                choices.append((i, tuple(forms)))
                break
    return _replaced(words, choices, rng)


def change_negation(words: TextWords, negation: NegationWords, rng: random.Random) -> Changes:
    """Take a negation out and mark what follows it, or put one in where the text has none.

    A text in which nothing follows, or in which no known verb shows where a negation could
    stand, allows no change.
    """
    folded = [words[i].casefold() for i in range(len(words))]
    if negated := [i for i, word in enumerate(folded) if word in negation.negations]:
        removable = [i for i in negated if _is_removable(words, i)]
        return (words.without(rng.choice(removable), gap=False),) if removable else ()
    places = []
    for i in range(len(words)):
        if folded[i] not in negation.verbs:
            continue
        while words.has_neighbour(i) and folded[i + 1] in negation.pronouns:
            i += 1
        if words.has_neighbour(i):
            places.append(i)
    return (words.with_word_after(rng.choice(places), negation.inserted),) if places else ()


def negate(words: TextWords, negation: NegationWords, rng: random.Random) -> Changes:
    """Take a negation out, or put one in; a text that has one loses it.

    Unlike `change_negation`, it knows contractions and opposites, and a gap is marked.
    A text with a negation that cannot be taken out, such as *ain't*, stays as it is.
    """
    folded = [words[i].lower().replace(_APOSTROPHE, "'") for i in range(len(words))]
    if not negation.irremovable.isdisjoint(folded):
        return ()
    if denials := _denials(words, folded, negation):
        return (rng.choice(denials),)
    affirming = _listed(words, negation.opposites)
    changes = change_negation(words, negation, rng)
    if not changes or (affirming and rng.random() < 0.5):
        return _replaced(words, affirming, rng)
    return changes


def _denials(words: TextWords, folded: list[str], negation: NegationWords) -> list[Change]:
    """All ways to take a negation out."""
    found: list[Change] = []
    for i, word in enumerate(folded):
        short = word.removesuffix(negation.contraction) if negation.contraction else word
        verb = negation.whole_verbs.get(word, short)
        if verb != word and word.startswith(verb):
            found.append(_shortened(words, i, len(verb)))
        elif verb != word:
            found.append(words.with_other(i, verb))
        elif word not in negation.negations:
            continue
        elif others := negation.opposites.get(word):
            found += [words.with_other(i, other) for other in others]
        elif _is_removable(words, i):
            found.append(words.without(i))
    return found


def _is_removable(words: TextWords, index: int) -> bool:
    # A mark that stood right after the first word would open the text
    return index + 1 < len(words) and (words.is_word(index + 1) or index > 0)


def _shortened(words: TextWords, index: int, kept: int) -> Change:
    """Cut the end of a word off; the gap is in front of what follows."""
    start, end = words.ranges[index]
    following = words.ranges[index + 1][0] if index + 1 < len(words) else end
    space = words.text[end:following]
    return Change(start + kept, following, space, (len(space), len(space)))


def _listed(
    words: TextWords, alternatives: Alternatives, refused: Collection[str] = ()
) -> list[_Choice]:
    choices: list[_Choice] = []
    for i in range(len(words)):
        others = [w for w in alternatives.get(words[i].lower(), ()) if w.casefold() not in refused]
        if others and words.stands_alone(i):
            choices.append((i, tuple(others)))
    return choices


def _replaced(
    words: TextWords, choices: list[_Choice], rng: random.Random, *, keeps_capital: bool = True
) -> Changes:
    if not choices:
        return ()
    place, others = rng.choice(choices)
    word = rng.choice(others)
    if keeps_capital and words[place][0].isupper():
        word = word[0].upper() + word[1:]
    return (words.with_other(place, word),)
