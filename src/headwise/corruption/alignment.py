"""The words of a text laid beside those of another text of the same language, without a model."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterator, Sequence
from functools import lru_cache

from headwise.corruption.text_words import TextWords

# What a pair of equal words is worth: words that carry meaning hold an alignment up, marks and
# words that stand in every sentence come along
_CONTENT, _COMMON, _MARK = 1.0, 0.4, 0.2
# For going on word by word in both texts. It decides between equal words, and does not outweigh one
_GOES_ON = 0.3
# Shorter words are alike by accident
_LEAST_LETTERS = 3
# So many common words in a row say the same by accident
_ACCIDENT = 2

_GROUPS = re.compile(r"[.,\u2019'](?=\d{3}(?!\d))")

Partners = list[int | None]
"""For each word of a text, its partner in the other text."""


Similarity = Callable[[str, str], float]
"""How near in meaning two case-folded words are; equal words are 1."""


class Alignment:
    """The words of a text beside those of a reference.

    Attributes:
        words: The text, of W words.
        others: The reference, of O words.
        folded: What is compared of each word of the text, W values.
        of_other: The same of the reference, O values.
        heavy: Which words of the text carry meaning: no marks, and none that are ``common``.
        other_heavy: The same of the reference.
        partners: For each word of the text the equal one of the reference, in order.
        moved: The same, out of order, of those that have none in order.
        unpaired: The words of the reference that are nobody's partner, in order.
    """

    def __init__(self, words: TextWords, others: TextWords, common: Container[str]) -> None:
        self.words, self.others = words, others
        self.folded, self.of_other = folded(words), folded(others)
        self.heavy = _heavy(words, self.folded, common)
        self.other_heavy = _heavy(others, self.of_other, common)
        worth = [
            (_CONTENT if heavy else _COMMON) if words.is_word(i) else _MARK
            for i, heavy in enumerate(self.heavy)
        ]
        self.partners = in_order(self.folded, self.of_other, worth)
        self.moved = out_of_order(self.folded, self.of_other, self.partners)
        taken = {*self.partners, *self.moved}
        self.unpaired = [j for j in range(len(others)) if j not in taken]

    def is_paired(self, index: int) -> bool:
        """Whether the reference has a word of the text, wherever it stands."""
        return self.partners[index] is not None or self.moved[index] is not None

    @property
    def shared(self) -> float:
        """Share of the text's words that carry meaning that the reference has, in [0, 1]."""
        carrying = [i for i, heavy in enumerate(self.heavy) if heavy]
        return sum(map(self.is_paired, carrying)) / max(1, len(carrying))

    def is_in_place(self, index: int, farthest: float) -> bool:
        """Whether a word stands where its partner does, and not by accident.

        Marks and common words stand everywhere, so that those beside them have to be the same.

        Args:
            index: Of the word.
            farthest: How far a word out of order may be from its partner, as a share of the text.
        """
        partner, moved = self.partners[index], self.moved[index]
        if self.heavy[index]:
            near = moved is not None and self._distance(index, moved) <= farthest
            return partner is not None or near
        if partner is None:
            return False
        ends = index == len(self.words) - 1 and partner == len(self.others) - 1
        chunk = list(self._chunk(index))
        return ends or len(chunk) > _ACCIDENT or any(self.heavy[i] for i in chunk)

    def stretches(self, anchors: Container[int]) -> Iterator[tuple[range, range]]:
        """What lies between neighbouring anchors, words that have a partner in order, in both."""
        pairs = [(i, j) for i, j in enumerate(self.partners) if j is not None and i in anchors]
        own, other = -1, -1
        for i, j in (*pairs, (len(self.words), len(self.others))):
            yield range(own + 1, i), range(other + 1, j)
            own, other = i, j

    def _distance(self, index: int, other: int) -> float:
        return distance(index, other, self.folded, self.of_other)

    def _chunk(self, index: int) -> Iterator[int]:
        """The words around one, itself included, that follow one another in both texts."""
        yield index
        for step in (-1, 1):
            i = index
            while self._goes_on(i, step):
                i += step
                yield i

    def _goes_on(self, index: int, step: int) -> bool:
        if not 0 <= index + step < len(self.words):
            return False
        here, there = self.partners[index], self.partners[index + step]
        return here is not None and there == here + step


class Nearness:
    """Whether the references of a text have a word that another one may stand for.

    Words are spelled alike, or near in meaning, from a share or similarity on.
    """

    def __init__(
        self,
        words: TextWords,
        laid: Sequence[Alignment],
        *,
        alike: float,
        near: float,
        similarity: Similarity | None,
    ) -> None:
        self._alike_from, self._near_from, self._similarity = alike, near, similarity
        # Words that carry little meaning explain none that carry more
        self._known = {
            word
            for one in laid
            for word, heavy in zip(one.of_other, one.other_heavy, strict=True)
            if heavy
        }
        most = [Counter(one.of_other) for one in laid]
        self._too_often = {
            word
            for word, count in Counter(folded(words)).items()
            if count > max(counts[word] for counts in most)
        }

    def explains(self, word: str, lost: Sequence[str]) -> bool:
        """Whether any reference has the word or one spelled alike, or ``lost`` one near it.

        Equal words explain no more than as many as they are.
        """
        if word in self._known and word not in self._too_often:
            return True
        others = self._known - {word}
        return any(self._alike(word, other) for other in others) or any(
            self._means(word, other) for other in lost
        )

    def close(self, word: str, other: str) -> bool:
        """Whether one may stand for the other."""
        return word == other or self._alike(word, other) or self._means(word, other)

    def _alike(self, word: str, other: str) -> bool:
        if is_number(word) or is_number(other):
            # *1 000* is *1,000*
            return is_number(word) and is_number(other) and (word in other or other in word)
        return spelled_alike(word, other) >= self._alike_from

    def _means(self, word: str, other: str) -> bool:
        if self._similarity is None or not (word.isalpha() and other.isalpha()):
            return False
        return self._similarity(word, other) >= self._near_from


def folded(words: TextWords) -> list[str]:
    """What is compared of words: they have no capitals, and numbers are written in one way."""
    return [_folded(words[i]) for i in range(len(words))]


def is_number(word: str) -> bool:
    """Whether it is a number in digits."""
    return word[:1].isdecimal() and not any(map(str.isalpha, word))


def in_order(words: Sequence[str], others: Sequence[str], worth: Sequence[float]) -> Partners:
    """Lay equal words side by side, as many and as coherently as their order allows.

    Where equal words are worth the same, the first one of the text gets the partner.

    Args:
        words: Words of a text, folded.
        others: Those of the other text.
        worth: What it is worth that each of the ``words`` finds a partner, above 0.
    """
    width = len(others) + 1
    best = [[0.0] * width for _ in range(len(words) + 1)]
    # The best that ends with these two words side by side; 0 if they are not equal
    paired = [[0.0] * width for _ in range(len(words) + 1)]
    for i, word in enumerate(words):
        above, row, pairs = best[i], best[i + 1], paired[i + 1]
        for j, other in enumerate(others):
            value = max(above[j + 1], row[j])
            if word == other:
                before = paired[i][j]
                pairs[j + 1] = worth[i] + max(above[j], before + _GOES_ON if before else 0.0)
                value = max(value, pairs[j + 1])
            row[j + 1] = value
    partners: Partners = [None] * len(words)
    i, j = len(words), len(others)
    goes_on = False
    while i and j:
        if goes_on or (best[i - 1][j] < best[i][j] > best[i][j - 1]):
            partners[i - 1] = j - 1
            before = paired[i - 1][j - 1]
            goes_on = bool(before) and before + _GOES_ON > best[i - 1][j - 1]
            i, j = i - 1, j - 1
        elif best[i - 1][j] == best[i][j]:
            i -= 1
        else:
            j -= 1
    return partners


def out_of_order(words: Sequence[str], others: Sequence[str], partners: Partners) -> Partners:
    """Partners, out of order, of words that have none yet: the equal one that is nearest."""
    free = defaultdict(list)
    taken = {j for j in partners if j is not None}
    for j, other in enumerate(others):
        if j not in taken:
            free[other].append(j)
    found: Partners = [None] * len(words)
    wanting = [
        (distance(i, j, words, others), i, j)
        for i, word in enumerate(words)
        if partners[i] is None
        for j in free.get(word, ())
    ]
    for _, i, j in sorted(wanting):
        if found[i] is None and j not in taken:
            found[i] = j
            taken.add(j)
    return found


def distance(i: int, j: int, words: Sequence[str], others: Sequence[str]) -> float:
    """How far two words stand from the same place of their texts, in [0, 1)."""
    return abs((i + 0.5) / len(words) - (j + 0.5) / len(others))


@lru_cache(maxsize=2**17)
def spelled_alike(word: str, other: str) -> float:
    """Share of pairs of letters, ends included, that two folded words have in common, in [0, 1].

    1 if one of them is part of the other, as a word is of its compounds and forms.

    References:
        Dice's coefficient on character bigrams: Adamson & Boreham 1974, Information Storage and
        Retrieval 10.
    """
    if min(len(word), len(other)) < _LEAST_LETTERS:
        return float(word == other)
    if word in other or other in word:
        return 1.0
    first, second = (Counter(zip(f" {one}", f"{one} ", strict=True)) for one in (word, other))
    return 2 * (first & second).total() / (first.total() + second.total())


def _folded(word: str) -> str:
    if is_number(word):
        return _GROUPS.sub("", word).replace(",", ".")
    return word.casefold().replace("\u2019", "'")


def _heavy(words: TextWords, compared: Sequence[str], common: Container[str]) -> list[bool]:
    return [words.is_word(i) and not _is_light(word, common) for i, word in enumerate(compared)]


def _is_light(word: str, common: Container[str]) -> bool:
    """Whether it is a common word, or made of such, as *I'm* is."""
    if word in common:
        return True
    parts = word.split("'")
    return len(parts) > 1 and all(len(p) < _LEAST_LETTERS or p in common for p in parts)
