"""An encoder with its heads, as requests share it."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from headwise.errors import InputError
from headwise.serving.work.model_thread import ModelThread
from headwise.serving.work.observer import NOBODY, WorkObserver

if TYPE_CHECKING:
    from torch import Tensor

    from headwise.backbones import EncodedText
    from headwise.entailment import EntailmentModel
    from headwise.entailment.predicting import Prediction

# Tokens of a turn: what a processor reads in some tens of milliseconds
_TURN_TOKENS = 2048
# Characters of a token, about: only how pairs share a turn follows from it
_CHARACTERS = 4


class Embedded(NamedTuple):
    """The embedding of a text, ``(D,)``, float32, and the tokens that were read for it."""

    vector: "Tensor"
    tokens: int


class PredictingPairs:
    """Predicts pairs in batches."""

    most_tokens = _TURN_TOKENS

    def __init__(self, model: "EntailmentModel") -> None:
        self._model = model

    def encode(self, items: Sequence[tuple[str, str]]) -> list[tuple[str, str] | InputError]:
        """As they are: the model remembers texts, and reads those that it does not know."""
        return list(items)

    def length(self, code: tuple[str, str]) -> int:
        """Tokens, about."""
        return sum(map(len, code)) // _CHARACTERS

    def run(self, codes: Sequence[tuple[str, str]]) -> "list[Prediction | InputError]":
        """One window."""
        return self._model.predict_window(codes)


class EmbeddingTexts:
    """Embeds texts in batches."""

    most_tokens = _TURN_TOKENS

    def __init__(self, model: "EntailmentModel") -> None:
        self._model = model

    def encode(self, items: Sequence[str]) -> "list[EncodedText | InputError]":
        """Tokenise texts."""
        return self._model.backbone.encode(items, what="text")

    def length(self, code: "EncodedText") -> int:
        """Tokens that the model reads."""
        return len(code)

    def run(self, codes: "Sequence[EncodedText]") -> list[Embedded]:
        """One pass for all of them."""
        vectors = self._model.encoder.embed(codes)
        return [Embedded(one, len(code)) for one, code in zip(vectors, codes, strict=True)]


class EntailmentService:
    """Predicts and embeds for many requests at a time.

    Attributes:
        name: By which requests name the model.
        created: When it was loaded, in seconds since 1970.
        model: The model; its thread alone may use it.
        thread: Its thread.
    """

    def __init__(
        self, name: str, model: "EntailmentModel", observer: WorkObserver = NOBODY
    ) -> None:
        self.name, self.model, self.created = name, model, int(time.time())
        self._pairs, self._texts = PredictingPairs(model), EmbeddingTexts(model)
        self.thread = ModelThread(name, [self._pairs, self._texts], observer)

    async def predict(self, pairs: Sequence[tuple[str, str]]) -> "list[Prediction | InputError]":
        """Say what hypotheses are to premises, in batches with those of other requests."""
        return await self.thread.together(self._pairs, pairs)

    async def embed(self, texts: Sequence[str]) -> list[Embedded | InputError]:
        """Embed texts, in batches with those of other requests."""
        return await self.thread.together(self._texts, texts)
