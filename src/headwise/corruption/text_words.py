"""A text as a sequence of words, and changes of some that leave the rest as it is."""

from headwise.corruption.changes import Change
from headwise.data.records.words import word_ranges

_SENTENCE_ENDS = frozenset(".!?…:")
# Hyphens of all kinds, and what ties the parts of *and/or*, *AT&T*, *3.5* and *o'clock*
_JOINERS = frozenset("-\u2010\u2011/&.'\u2019")


class TextWords:
    """The words of a text, punctuation marks included, and changes of them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.ranges = word_ranges(text)

    def __len__(self) -> int:
        return len(self.ranges)

    def __getitem__(self, index: int) -> str:
        start, end = self.ranges[index]
        return self.text[start:end]

    def is_word(self, index: int) -> bool:
        """Whether it is more than a punctuation mark."""
        return any(map(str.isalnum, self[index]))

    def has_letter(self, index: int) -> bool:
        """Whether it is more than a mark or a number."""
        return any(map(str.isalpha, self[index]))

    def has_neighbour(self, index: int) -> bool:
        """Whether another word follows with nothing but spaces between them.

        A part of a word like *U-Bahn* has none: moved or gone, it would take a mark along or
        leave one behind.
        """
        return (
            index + 1 < len(self)
            and self.is_word(index)
            and self.is_word(index + 1)
            and not self._is_joined(index, -1)
            and not self._is_joined(index + 1, 1)
        )

    def _is_joined(self, index: int, step: int) -> bool:
        """Whether a hyphen or the like ties a word to what is before (-1) or behind (1) it."""
        near = self.ranges[index : index + 3] if step > 0 else self.ranges[index - 2 : index + 1]
        return (
            len(near) == 3
            and near[0][1] == near[1][0]
            and near[1][1] == near[2][0]
            and self[index + step] in _JOINERS
        )

    def opens_sentence(self, index: int) -> bool:
        """Whether a capital letter may say no more than that a sentence begins here."""
        for i in range(index - 1, -1, -1):
            if self[i] in _SENTENCE_ENDS:
                return True
            if self.is_word(i):
                return False
        return True

    def runs(self, count: int) -> list[int]:
        """First words of all runs of so many whole words with nothing but spaces between them."""
        return [
            first
            for first in range(len(self) - count + 1)
            if all(self.has_neighbour(i) for i in range(first, first + count - 1))
            and (count > 1 or self.stands_alone(first))
        ]

    def stands_alone(self, index: int) -> bool:
        """Whether it is a word, and no part of one like *U-Bahn*."""
        joined = self._is_joined(index, -1) or self._is_joined(index, 1)
        return self.is_word(index) and not joined

    def run_text(self, first: int, count: int) -> str:
        """The characters from the first word of a run to its last."""
        return self.text[self.ranges[first][0] : self.ranges[first + count - 1][1]]

    def without(self, index: int, count: int = 1, *, gap: bool = True) -> Change:
        """Take words out with their space; the error is the gap, or else what follows it."""
        start, end = self.ranges[index][0], self.ranges[index + count - 1][1]
        next_start, next_end = self.ranges[index + count]
        if next_start == end:
            # Before a punctuation mark, the space that goes is the one in front
            start = len(self.text[:start].rstrip())
        following = self._cased_as(index, self[index + count])
        return Change(start, next_end, following, (0, 0 if gap else len(following)))

    def with_other(self, index: int, word: str, count: int = 1) -> Change:
        """Put something else in the place of a word, or of a run of words."""
        start, end = self.ranges[index][0], self.ranges[index + count - 1][1]
        word = self._cased_as(index, word)
        return Change(start, end, word, (0, len(word)))

    def with_word_after(self, index: int, word: str, space: str = " ") -> Change:
        """Put a word after a word."""
        end = self.ranges[index][1]
        return Change(end, end, space + word, (len(space), len(space) + len(word)))

    def swapped(self, index: int) -> Change:
        """Let a word and its right neighbour change places; the error is both."""
        (start, end), (next_start, next_end) = self.ranges[index : index + 2]
        both = self[index + 1] + self.text[end:next_start] + self[index]
        return Change(start, next_end, both, (0, len(both)))

    def _cased_as(self, index: int, word: str) -> str:
        # A small letter at the start of a sentence would give the error away
        if self.opens_sentence(index) and self[index][:1].isupper():
            return word[:1].upper() + word[1:]
        return word
