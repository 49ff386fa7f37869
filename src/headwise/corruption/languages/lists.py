"""What errors of a language are made by: words to take for each other, endings, negations."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

Alternatives = Mapping[str, tuple[str, ...]]
"""Words in lower case, and what each may become."""


@dataclass(frozen=True, slots=True)
class EndingRule:
    """Endings that a word of some kind can have.

    Attributes:
        shortest_stem: In letters.
        after: Words one of which stands in front of such a word; ``None`` for any word.
        vowels: Vowels of the stem that may change with the ending, each way.
    """

    endings: tuple[str, ...]
    shortest_stem: int = 3
    after: frozenset[str] | None = None
    vowels: tuple[tuple[str, str], ...] = ()

    def forms(self, word: str, known: Collection[str]) -> list[str]:
        """Other forms of a word in lower case, out of those that are known."""
        found: dict[str, None] = {}
        for ending in self.endings:
            stem = word.removesuffix(ending) if ending else word
            if not word.endswith(ending) or len(stem) < self.shortest_stem:
                continue
            for stem_form in (stem, *self._other_stems(stem)):
                found |= dict.fromkeys(stem_form + other for other in self.endings)
        return [form for form in found if form != word and form in known]

    def _other_stems(self, stem: str) -> Iterable[str]:
        for plain, changed in self.vowels:
            for old, new in ((plain, changed), (changed, plain)):
                if old in stem:
                    yield stem.replace(old, new, 1)


@dataclass(frozen=True, slots=True)
class Inflection:
    """How a language inflects.

    Attributes:
        irregular: Words whose forms are listed, such as articles and auxiliary verbs.
        rules: What the other words may end in; a word has the forms of the first rule that finds
            any among the words that are known.
    """

    irregular: Alternatives = field(default_factory=dict)
    rules: tuple[EndingRule, ...] = ()


def one_of_a_group(text: str) -> dict[str, tuple[str, ...]]:
    """Let each word become any other of its groups, which commas part in the text."""
    found: dict[str, tuple[str, ...]] = {}
    for group in text.split(","):
        words = group.split()
        for word in words:
            others = (*found.get(word, ()), *(other for other in words if other != word))
            found[word] = tuple(dict.fromkeys(others))
    return found


def becomes(text: str) -> dict[str, tuple[str, ...]]:
    """Let the first word of each group become any of the others; commas part the groups."""
    groups = (group.split() for group in text.split(","))
    return {word: tuple(others) for word, *others in groups}


def word_set(text: str) -> frozenset[str]:
    """All words of a text, commas aside."""
    return frozenset(text.replace(",", " ").split())


@dataclass(frozen=True, slots=True)
class NegationWords:
    """How a language negates; all words in lower case.

    Attributes:
        negations: Words that negate and can be taken out.
        inserted: The word to put in where there is none.
        verbs: Words after which it can stand.
        pronouns: Words that stand between such a verb and the negation.
        opposites: Words that deny or affirm, and what denies or affirms instead of them.
        contraction: What a negated verb ends in, in place of a word of its own.
        whole_verbs: Negated verbs that are no words without the contraction, and what affirms
            instead.
        irremovable: Words that negate and have no opposite of one word, such as *ain't*.
    """

    negations: frozenset[str] = frozenset()
    inserted: str = ""
    verbs: frozenset[str] = frozenset()
    pronouns: frozenset[str] = frozenset()
    opposites: Alternatives = field(default_factory=dict)
    contraction: str | None = None
    whole_verbs: Mapping[str, str] = field(default_factory=dict)
    irremovable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LanguageLists:
    """What errors of one language are made by; a language without lists has empty ones.

    Attributes:
        conjunction: The word that joins two statements.
        beings: Nouns that may take each other's place without another change of the text, by
            number and what else they must agree in.
        together: Words between two nouns that let both do or be the same.
    """

    numbers: Alternatives = field(default_factory=dict)
    pronouns: Alternatives = field(default_factory=dict)
    inflection: Inflection = Inflection()
    negation: NegationWords = NegationWords()
    conjunction: str = ""
    beings: tuple[frozenset[str], ...] = ()
    together: frozenset[str] = frozenset()
