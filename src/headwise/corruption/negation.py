"""Words that negate, by language, and edits that turn a statement into its opposite."""

import random

from headwise.corruption.changes import Edit
from headwise.corruption.languages.lists import NegationWords
from headwise.corruption.text_words import TextWords


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
