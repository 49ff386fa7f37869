"""A copy of a text while errors are put into it, with pauses to ask the language model."""

import random
from collections.abc import Mapping

from headwise.corruption.changes import Change, Changes, stand_apart
from headwise.corruption.error_maker import ErrorMaker, ReadText
from headwise.corruption.families import Corruption, ErrorFamily

# Denser errors would leave too little right text to tell them by
_WORDS_PER_ERROR = 2
# What was drawn may be another translation, or touch an error that is there
_ATTEMPTS = 3


class Draft:
    """A copy of ``text`` that gets one error after the other.

    It ``waits`` if the language model is to make the next one.
    """

    def __init__(
        self,
        text: ReadText,
        *,
        rng: random.Random,
        weights: Mapping[ErrorFamily, float],
        errors_per_text: Mapping[int, float],
    ) -> None:
        self.text = text
        self.rng = rng
        self.waits = False
        self._weights = dict(weights)
        (count,) = rng.choices(list(errors_per_text), weights=list(errors_per_text.values()))
        length = sum(text.words.is_word(i) for i in range(len(text.words)))
        self._missing = max(1, min(count, length // _WORDS_PER_ERROR))
        self._untried = dict(weights)
        self._changes: Changes = ()
        self._families: tuple[ErrorFamily, ...] = ()

    def go_on(self, maker: ErrorMaker) -> None:
        """Make errors until there are enough, none is possible, or the model has to be asked."""
        while self._missing and self._untried and not self.waits:
            families = list(self._untried)
            (family,) = self.rng.choices(families, weights=[self._untried[f] for f in families])
            del self._untried[family]
            if family is ErrorFamily.PLAUSIBLE:
                self.waits = True
                # The model is asked about a text once
                del self._weights[family]
                return
            for _ in range(_ATTEMPTS):
                if self._add(family, maker.make(family, self.text, self.rng), maker):
                    break

    def answer(self, change: Change | None, maker: ErrorMaker) -> None:
        """Take the error that the language model made, if it made one."""
        self.waits = False
        if change is not None:
            self._add(ErrorFamily.PLAUSIBLE, (change,), maker)

    def corruption(self) -> Corruption | None:
        """The copy with its errors; ``None`` if the text allowed none."""
        if not self._families:
            return None
        return Corruption.of(self.text.pair, self._changes, self._families)

    def _add(self, family: ErrorFamily, changes: Changes, maker: ErrorMaker) -> bool:
        together = (*self._changes, *changes)
        if not (
            changes
            and stand_apart(together)
            # Alone as well: beside others, a change that makes another translation would hide
            and maker.is_wrong(self.text, changes, {family})
            and maker.is_wrong(self.text, together, {family, *self._families})
        ):
            return False
        self._changes = together
        self._families += (family,) * len(changes)
        # A family that has made one error, or failed before it, may make the next
        self._untried = dict(self._weights)
        self._missing -= 1
        return True
