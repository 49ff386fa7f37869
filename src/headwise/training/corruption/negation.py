"""Words that negate, by language, and edits that turn a statement into its opposite."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from headwise.training.corruption.inflection import Alternatives, word_set
from headwise.training.corruption.synthetic_errors import Edit
from headwise.training.corruption.word_edits import TextWords


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

    negations: frozenset[str]
    inserted: str
    verbs: frozenset[str]
    pronouns: frozenset[str]
    opposites: Alternatives = field(default_factory=dict)
    contraction: str | None = None
    whole_verbs: Mapping[str, str] = field(default_factory=dict)
    irremovable: frozenset[str] = frozenset()


NEGATION_DE = NegationWords(
    negations=word_set(
        "nicht kein keine keinem keinen keiner keines "
        "nie niemals nichts niemand niemandem niemanden"
    ),
    inserted="nicht",
    verbs=word_set(
        "bin bist ist sind seid war warst waren wart "
        "habe hast hat haben habt hatte hattest hatten "
        "werde wirst wird werden werdet wurde wurden würde würden "
        "kann kannst können könnt konnte konnten könnte könnten "
        "muss musst müssen müsst musste mussten soll sollst sollen sollt sollte sollten "
        "will willst wollen wollt wollte wollten darf darfst dürfen dürft durfte durften "
        "möchte möchten"
    ),
    pronouns=word_set("ich du er sie es wir ihr mich dich ihn uns euch mir dir ihm ihnen sich das"),
    opposites={
        "ein": ("kein",),
        "eine": ("keine",),
        "einen": ("keinen",),
        "einem": ("keinem",),
        "einer": ("keiner",),
        "kein": ("ein",),
        "keinen": ("einen",),
        "keinem": ("einem",),
        "keiner": ("einer", "jeder"),
        "nie": ("immer", "oft"),
        "niemals": ("immer", "oft"),
        "immer": ("nie", "niemals"),
        "nichts": ("etwas", "alles"),
        "alles": ("nichts",),
        "etwas": ("nichts",),
        "niemand": ("jemand", "jeder"),
        "jemand": ("niemand",),
        "mit": ("ohne",),
        "ohne": ("mit",),
    },
)
NEGATION_EN = NegationWords(
    negations=word_set("not never no nobody nothing"),
    inserted="not",
    verbs=word_set(
        "am is are was were can could will would shall should may might must has have had"
    ),
    pronouns=word_set("i you he she it we they"),
    opposites={
        "never": ("always", "often"),
        "always": ("never",),
        "nothing": ("something", "everything"),
        "something": ("nothing",),
        "everything": ("nothing",),
        "nobody": ("somebody", "everybody"),
        "somebody": ("nobody",),
        "everybody": ("nobody",),
        "no": ("a", "some"),
        "a": ("no",),
        "an": ("no",),
        "some": ("no",),
        "with": ("without",),
        "without": ("with",),
    },
    contraction="n't",
    whole_verbs={"can't": "can", "won't": "will", "shan't": "shall", "cannot": "can"},
    irremovable=word_set("ain't n't"),
)
NEGATIONS = {"de": NEGATION_DE, "en": NEGATION_EN}


def change_negation(words: TextWords, negation: NegationWords, rng: random.Random) -> Edit | None:
    """Take a negation out, or put one in where the text has none.

    Args:
        words: The text and its words.
        negation: How its language negates.
        rng: Chooses the place.

    Returns:
        The edit: after a removal, the error is the word or mark that follows the gap. ``None``
        if nothing follows, or if no known verb shows where a negation could stand.
    """
    folded = [words[i].casefold() for i in range(len(words))]
    if negated := [i for i, word in enumerate(folded) if word in negation.negations]:
        # A mark that stood right after the first word would open the text
        removable = [i for i in negated if i + 1 < len(words) and (words.is_word(i + 1) or i > 0)]
        return words.without(rng.choice(removable)) if removable else None
    places = []
    for i in range(len(words)):
        if folded[i] not in negation.verbs:
            continue
        while words.has_neighbour(i) and folded[i + 1] in negation.pronouns:
            i += 1
        if words.has_neighbour(i):
            places.append(i)
    return words.with_word_after(rng.choice(places), negation.inserted) if places else None
