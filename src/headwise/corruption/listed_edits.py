"""Errors made by the lists of a language: numbers, pronouns, endings and negations."""

import random
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from headwise.corruption.changes import Change, Changes, Edit
from headwise.corruption.families import ErrorFamily
from headwise.corruption.languages.de import (
    INFLECTION_DE,
    NEGATION_DE,
    NUMBER_WORDS_DE,
    PRONOUNS_DE,
)
from headwise.corruption.languages.en import (
    INFLECTION_EN,
    NEGATION_EN,
    NUMBER_WORDS_EN,
    PRONOUNS_EN,
)
from headwise.corruption.languages.lists import Alternatives, Inflection, NegationWords
from headwise.corruption.negation import change_negation
from headwise.corruption.text_words import TextWords

_NUMBER = re.compile("[0-9]+")


def count_numbers(text: str) -> int:
    """How many runs of digits a text has; *3.5* and *10:30* have two, *20th* has one."""
    return sum(1 for _ in _NUMBER.finditer(text))


def other_number(text: str, rng: random.Random) -> Edit | None:
    """Change a run of digits; it keeps its length. ``None`` if there is none."""
    found = list(_NUMBER.finditer(text))
    if not found:
        return None
    match = rng.choice(found)
    old = new = match.group()
    while new == old:
        first = rng.choice("0123456789" if old[0] == "0" else "123456789")
        new = first + "".join(rng.choices("0123456789", k=len(old) - 1))
    start, end = match.span()
    return Edit(text[:start] + new + text[end:], start, end)


NEGATIONS = {"de": NEGATION_DE, "en": NEGATION_EN}


NUMBER_WORDS: Mapping[str, Alternatives] = {"de": NUMBER_WORDS_DE, "en": NUMBER_WORDS_EN}


PRONOUNS: Mapping[str, Alternatives] = {"de": PRONOUNS_DE, "en": PRONOUNS_EN}


INFLECTIONS: Mapping[str, Inflection] = {"de": INFLECTION_DE, "en": INFLECTION_EN}


LISTS: Mapping[ErrorFamily, Collection[str]] = {
    ErrorFamily.NEGATION: NEGATIONS.keys(),
    ErrorFamily.PRONOUN: PRONOUNS.keys(),
    ErrorFamily.ENDING: INFLECTIONS.keys(),
}


"""Families that need lists, and the languages that have them."""


_APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"


@dataclass(frozen=True, slots=True)
class _Choice:
    place: int
    words: tuple[str, ...]


def change_number(words: TextWords, language: str | None, rng: random.Random) -> Changes:
    """Change a number in digits, or a number word of the language."""
    choices = _listed(words, NUMBER_WORDS.get(language or "", {}))
    in_digits = count_numbers(words.text)
    if rng.random() * (in_digits + len(choices)) < in_digits:
        edit = other_number(words.text, rng)
        return () if edit is None else (Change.of(words.text, edit),)
    return _replaced(words, choices, rng)


def change_pronoun(
    words: TextWords, language: str, rng: random.Random, refused: Collection[str]
) -> Changes:
    """Let a pronoun become another one that no other translation has."""
    choices = _listed(words, PRONOUNS[language], refused)
    # The capital letter of *Sie* is a matter of that word
    return _replaced(words, choices, rng, keeps_capital=False)


def change_ending(
    words: TextWords, language: str, rng: random.Random, known: Collection[str]
) -> Changes:
    """Give a word another of its endings.

    Args:
        words: The text.
        language: Whose endings.
        rng: Chooses the word and its form.
        known: The words that there are, in lower case: forms are looked up among them.
    """
    inflection = INFLECTIONS[language]
    choices = _listed(words, inflection.irregular)
    for i in range(1, len(words)):
        word = words[i]
        if not word.islower() or word in inflection.irregular or not words.stands_alone(i):
            continue
        for rule in inflection.rules:
            if rule.after is not None and words[i - 1].lower() not in rule.after:
                continue
            if forms := rule.forms(word, known):
                choices.append(_Choice(i, tuple(forms)))
                break
    return _replaced(words, choices, rng)


def negate(words: TextWords, language: str, rng: random.Random) -> Changes:
    """Take a negation out, or put one in; a text that has one loses it.

    A text with one that cannot be taken out, such as *ain't*, stays as it is.
    """
    lists = NEGATIONS[language]
    folded = [words[i].lower().replace(_APOSTROPHE, "'") for i in range(len(words))]
    if not lists.irremovable.isdisjoint(folded):
        return ()
    if denials := _denials(words, folded, lists):
        return rng.choice(denials)
    affirming = _listed(words, lists.opposites)
    edit = change_negation(words, lists, rng)
    if edit is None or (affirming and rng.random() < 0.5):
        return _replaced(words, affirming, rng)
    return (Change.of(words.text, edit),)


def _denials(words: TextWords, folded: list[str], lists: NegationWords) -> list[Changes]:
    """All ways to take a negation out."""
    found: list[Changes] = []
    for i, word in enumerate(folded):
        short = word.removesuffix(lists.contraction) if lists.contraction else word
        verb = lists.whole_verbs.get(word, short)
        if verb != word and word.startswith(verb):
            found.append((_shortened(words, i, len(verb)),))
        elif verb != word:
            found.append((Change.of(words.text, words.with_other(i, verb)),))
        elif word not in lists.negations:
            continue
        elif others := lists.opposites.get(word):
            found += [(Change.of(words.text, words.with_other(i, other)),) for other in others]
        elif i + 1 < len(words) and (words.is_word(i + 1) or i > 0):
            found.append((Change.of(words.text, words.without(i), gap=True),))
    return found


def _shortened(words: TextWords, index: int, kept: int) -> Change:
    """Cut the end of a word off; the gap is in front of what follows."""
    start, end = words.ranges[index]
    following = words.ranges[index + 1][0] if index + 1 < len(words) else end
    space = words.text[end:following]
    return Change(start + kept, following, space, (len(space), len(space)))


def _listed(
    words: TextWords, alternatives: Alternatives, refused: Collection[str] = ()
) -> list[_Choice]:
    choices = []
    for i in range(len(words)):
        others = [w for w in alternatives.get(words[i].lower(), ()) if w.casefold() not in refused]
        if others and words.stands_alone(i):
            choices.append(_Choice(i, tuple(others)))
    return choices


def _replaced(
    words: TextWords, choices: list[_Choice], rng: random.Random, *, keeps_capital: bool = True
) -> Changes:
    if not choices:
        return ()
    choice = rng.choice(choices)
    word = rng.choice(choice.words)
    if keeps_capital and words[choice.place][0].isupper():
        word = word[0].upper() + word[1:]
    return (Change.of(words.text, words.with_other(choice.place, word)),)
