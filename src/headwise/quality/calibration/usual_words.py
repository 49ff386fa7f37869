"""The usual words of some texts, by which text in another language is noticed.

The few dozen most frequent words of a language (*the*, *of*, *and*) are most of what is said in it,
on whatever subject, and other languages do not have them. Their share in a text needs no model, no
list of languages, and no more time than cutting it into words.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Self

import numpy as np
import regex
from pydantic import BaseModel, ConfigDict, Field

from headwise.data.records.words import placeholder_ranges

# Where words have no spaces between them, their characters and syllables stand in for them
_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
    r"|[\p{L}\p{M}]+(?:['\u2019][\p{L}\p{M}]+)*"
)
_KEPT = 120
# With fewer words, a share says nothing about a text
_FEWEST_WORDS = 4
_FEWEST_TEXTS = 50
# Texts that are unlike by chance: 1 in 200 of those that it is fitted to
_UNLIKE_BY_CHANCE = 0.005


class UsualWords(BaseModel):
    """The most frequent words of some texts, and how few of them a usual text has.

    Attributes:
        words: The words in lower case, the most frequent first, with spaces between them.
        lowest: The share of them that nearly all texts have; a text with a lower one is unlike.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: str
    lowest: float = Field(ge=0.0, le=1.0)

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self | None:
        """Count the words of every other text, and see how many of them the rest have.

        ``None`` if there are too few texts, or their words are too different to know them by.
        """
        distinct = [words for text in dict.fromkeys(texts) if (words := _words(text))]
        counts = Counter(word for words in distinct[::2] for word in words)
        kept = " ".join(word for word, _ in counts.most_common(_KEPT))
        usual = cls(words=kept, lowest=0.0)
        shares = [share for words in distinct[1::2] if (share := usual._share(words)) is not None]
        if len(shares) < _FEWEST_TEXTS:
            return None
        lowest = float(np.quantile(shares, _UNLIKE_BY_CHANCE))
        return cls(words=kept, lowest=lowest) if lowest > 0.0 else None

    def is_unlike(self, text: str) -> bool | None:
        """Whether a text has too few of the words; ``None`` if it is too short to say."""
        share = self._share(_words(text))
        return None if share is None else share < self.lowest

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.words.split())

    def _share(self, words: Sequence[str]) -> float | None:
        if len(words) < _FEWEST_WORDS:
            return None
        return sum(word in self._known for word in words) / len(words)


def _words(text: str) -> list[str]:
    for start, end in reversed(placeholder_ranges(text)):
        text = f"{text[:start]} {text[end:]}"
    return _WORD.findall(text.casefold())
