"""The words of a corpus, to be drawn by their frequency."""

import itertools
import random
from collections import Counter
from collections.abc import Collection, Iterable

from headwise.corruption.text_words import TextWords

# Where a handful of words make up the whole corpus, all draws may be refused
_MAX_DRAWS = 50


class CorpusWords:
    """Words with a letter that stand inside the sentences of a corpus.

    A word that opens a sentence is left out: it may owe its capital letter to that.

    Args:
        texts: The corpus.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        counts: Counter[str] = Counter()
        for text in texts:
            words = TextWords(text)
            counts.update(
                words[i]
                for i in range(len(words))
                if words.has_letter(i) and not words.opens_sentence(i)
            )
        self._words = list(counts)
        self._cumulative = list(itertools.accumulate(counts.values()))
        self.lower = frozenset(word for word in counts if word.islower())

    def __len__(self) -> int:
        return len(self._words)

    def draw(self, rng: random.Random, refused: Collection[str]) -> str | None:
        """Draw a word in proportion to its frequency.

        Args:
            rng: Draws.
            refused: Words, case-folded, that it must not be.

        Returns:
            The word; ``None`` if what was drawn again and again is refused.
        """
        for _ in range(_MAX_DRAWS if self._words else 0):
            (word,) = rng.choices(self._words, cum_weights=self._cumulative)
            if word.casefold() not in refused:
                return word
        return None
