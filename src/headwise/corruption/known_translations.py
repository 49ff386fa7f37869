"""Errors put into correct text on purpose, so that their places are known.

With them, a score's power to find wrong tokens can be measured without human labels.
"""

import random
from collections import defaultdict
from collections.abc import Iterable

from headwise.data.records.pairs import Pair
from headwise.data.records.words import word_ranges


class KnownTranslations:
    """All hypotheses that the given pairs hold for each source.

    Where a source has several correct translations, an edit may by accident turn one into
    another, or put in the very word that another one uses.

    Args:
        pairs: Correct pairs. Texts without a source are translations of nothing.
    """

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self._words: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
        for pair in pairs:
            if pair.source is not None:
                self._words[pair.source].add(folded_words(pair.hypothesis))

    def include(self, source: str | None, text: str) -> bool:
        """Whether a text is a known translation, letter case and spaces aside."""
        return source is not None and folded_words(text) in self._words[source]

    def other_words(self, pair: Pair) -> set[str]:
        """The words, case-folded, of all other translations of the pair's source."""
        if pair.source is None:
            return set()
        others = self._words[pair.source] - {folded_words(pair.hypothesis)}
        return {word for words in others for word in words}


def pair_generator(seed: int, *numbers: int) -> random.Random:
    """The source of randomness of one pair, whatever other pairs there are.

    Args:
        seed: Of all pairs.
        numbers: Which pair, and which of its copies if there are several.
    """
    return random.Random("/".join(map(str, (seed, *numbers))))


def folded_words(text: str) -> tuple[str, ...]:
    """The words of a text without letter case: what two equal translations share."""
    return tuple(text[start:end].casefold() for start, end in word_ranges(text))
