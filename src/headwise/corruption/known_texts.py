"""What correct texts teach: words to draw by frequency, and translations that are no errors."""

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable

from headwise.corruption.text_words import TextWords
from headwise.data.records.pairs import Pair
from headwise.data.records.words import word_ranges

# Where a handful of words make up the whole corpus, all draws may be refused
_MAX_DRAWS = 50


def inner_words(text: str) -> list[str]:
    """Words with a letter that stand inside the sentences of a text.

    A word that opens a sentence is left out: it may owe its capital letter to that.
    """
    words = TextWords(text)
    return [
        words[i] for i in range(len(words)) if words.has_letter(i) and not words.opens_sentence(i)
    ]


class CorpusWords:
    """Words ``of`` the texts of a corpus, by their frequency: by default those of sentences."""

    def __init__(
        self, texts: Iterable[str], *, of: Callable[[str], Iterable[str]] = inner_words
    ) -> None:
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(of(text))
        self._words = list(counts)
        self._cumulative = list(itertools.accumulate(counts.values()))
        self.inside = frozenset(counts)
        self.lower = frozenset(word for word in counts if word.islower())

    def __len__(self) -> int:
        return len(self._words)

    def draw(self, rng: random.Random, refused: Collection[str]) -> str | None:
        """Draw a word by its frequency; ``None`` if all that is drawn is, case-folded, refused."""
        for _ in range(_MAX_DRAWS if self._words else 0):
            (word,) = rng.choices(self._words, cum_weights=self._cumulative)
            if word.casefold() not in refused:
                return word
        return None


class KnownTranslations:
    """All hypotheses that the given pairs hold for each source.

    Where a source has several correct translations, an edit may by accident turn one into
    another, or put in the very word that another one uses. Texts without a source are
    translations of nothing.
    """

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self._words: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
        self._texts: defaultdict[str, set[str]] = defaultdict(set)
        for pair in pairs:
            if pair.source is not None:
                self._words[pair.source].add(folded_words(pair.hypothesis))
                self._texts[pair.source].add(pair.hypothesis)

    def include(self, source: str | None, text: str, *, exactly: bool = False) -> bool:
        """Whether a text is a known translation, letter case and spaces aside or to the letter."""
        if source is None:
            return False
        return text in self._texts[source] if exactly else folded_words(text) in self._words[source]

    def other_words(self, pair: Pair) -> set[str]:
        """The words, case-folded, of all other translations of the pair's source."""
        if pair.source is None:
            return set()
        others = self._words[pair.source] - {folded_words(pair.hypothesis)}
        return {word for words in others for word in words}


def folded_words(text: str) -> tuple[str, ...]:
    """The words of a text without letter case: what two equal translations share."""
    return tuple(text[start:end].casefold() for start, end in word_ranges(text))


def pair_generator(seed: int, *numbers: int) -> random.Random:
    """The source of randomness of one pair, or of one of its copies, whatever others there are."""
    # Python hashes a text by its bytes here, so that every process draws alike
    return random.Random("/".join(map(str, (seed, *numbers))))
