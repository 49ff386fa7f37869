"""How near two words are in meaning, by the rows that a language model has for their tokens."""

import random
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from headwise.backbones.base import LanguageBackbone

_PAIRS = 2000


class WordVectors:
    """Static vectors of words: the mean of their tokens' rows of the input embedding.

    The mean of all rows is taken off, which all words share. Words are read as in the middle of a
    text, after a space.
    """

    def __init__(self, backbone: LanguageBackbone) -> None:
        self._backbone = backbone
        self._known: dict[str, Tensor] = {}

    @cached_property
    def _rows(self) -> Tensor:
        rows: Tensor = self._backbone.model.get_input_embeddings().weight.detach()
        return rows

    @cached_property
    def _mean(self) -> Tensor:
        return self._rows.mean(0, dtype=torch.float32)

    def similarity(self, word: str, other: str) -> float:
        """Cosine of two words, in [-1, 1]; 0 of a word without a token."""
        return float(self._vector(word) @ self._vector(other))

    def usual(self, words: Sequence[str], *, share: float) -> float | None:
        """Below which similarity a share in [0, 1] of random pairs of different words lies.

        ``None`` if there are no two different words.
        """
        draw, different = random.Random(0), sorted(set(words))
        if len(different) < 2:
            return None
        pairs = [draw.sample(different, 2) for _ in range(_PAIRS)]
        found = sorted(self.similarity(*pair) for pair in pairs)
        return found[min(len(found) - 1, int(share * len(found)))]

    def _vector(self, word: str) -> Tensor:
        if word not in self._known:
            ids = self._backbone.tokenizer(f" {word}", add_special_tokens=False)["input_ids"]
            own = [i for i in ids if not self._backbone.is_blank(i)]
            vector = torch.zeros_like(self._mean)
            if own:
                vector = self._rows[own].mean(0, dtype=torch.float32) - self._mean
            self._known[word] = torch.nn.functional.normalize(vector, dim=0).cpu()
        return self._known[word]
