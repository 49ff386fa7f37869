"""Names and things that a text speaks of, by letter case and the words around them; no lists."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from headwise.corruption.languages.lists import word_set
from headwise.corruption.text_words import TextWords

DETERMINERS = word_set(
    "a an the this that these those his her its their our my your some two three four five six "
    "seven eight nine ten several many"
)
PREPOSITIONS = word_set(
    "in on at with near by for from during after before behind under over through without while "
    "mit bei nach vor auf aus für an unter über neben zwischen durch ohne um während wegen am im"
)
CLOSED = (
    DETERMINERS
    | PREPOSITIONS
    | word_set(
        "of to and or but nor as than if because when where who whom whose which what there here "
        "is are was were be been being am has have had do does did can could will would shall "
        "should may might must not no never always i you he she it we they him them me us all "
        "both each every other another such very more most much so too also just only then into "
        "onto across around along against up down out off about between"
    )
)
"""Words that name no thing, in English: a thing ends where one of them follows."""

# Shorter ones are mostly initials
_SHORTEST = 3


class Kind(StrEnum):
    """What can stand in each other's place."""

    NAME = "name"
    ONE = "one"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class Mention:
    """Neighbouring words that name something: number of the first, how many, and what kind."""

    first: int
    count: int
    kind: Kind


def mentions(words: TextWords) -> list[Mention]:
    """The names and things of a text, in order; none is part of another.

    A name is a run of words with capital letters; a single one that opens a sentence is none. A
    thing is a word in small letters that a determiner introduces and a short word or a mark ends.
    """
    found: list[Mention] = []
    place = 0
    while place < len(words):
        count = _name(words, place)
        if count:
            found.append(Mention(place, count, Kind.NAME))
        elif _is_thing(words, place):
            many = words[place].endswith("s") and not words[place].endswith("ss")
            found.append(Mention(place, 1, Kind.MANY if many else Kind.ONE))
        place += max(1, count)
    return found


def said(words: TextWords, mention: Mention) -> str:
    """The characters of a mention."""
    return words.run_text(mention.first, mention.count)


def content_words(texts: Iterable[str]) -> frozenset[str]:
    """Words of some texts, case-folded, that say something: closed classes are left out."""
    found: set[str] = set()
    for text in texts:
        words = TextWords(text)
        found |= {words[i].casefold() for i in range(len(words)) if words.is_word(i)}
    return frozenset(found - CLOSED)


def _name(words: TextWords, first: int) -> int:
    """How many words the name has that begins here; 0 for none."""
    if not _is_capital(words, first):
        return 0
    last = first
    while last + 1 < len(words) and words.has_neighbour(last) and _is_capital(words, last + 1):
        last += 1
    count = last - first + 1
    if count > 1 or (not words.opens_sentence(first) and words.stands_alone(first)):
        return count
    return 0


def _is_capital(words: TextWords, index: int) -> bool:
    word = words[index]
    return (
        len(word) >= _SHORTEST
        and word[0].isupper()
        and word.isalpha()
        and word.casefold() not in CLOSED
    )


def _is_thing(words: TextWords, index: int) -> bool:
    if not _is_open(words, index) or not words.stands_alone(index):
        return False
    ends = index + 1 == len(words) or not _is_open(words, index + 1)
    ends = ends or words[index + 1].endswith("ing")
    introduced = any(words[i].lower() in DETERMINERS for i in (index - 1,) if i >= 0)
    if not introduced and index >= 2:  # one adjective may stand between
        introduced = words[index - 2].lower() in DETERMINERS and _is_open(words, index - 1)
    return ends and introduced


def _is_open(words: TextWords, index: int) -> bool:
    word = words[index]
    return len(word) >= _SHORTEST and word.islower() and word.isalpha() and word not in CLOSED
