"""An encoder with its heads, as requests share it."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from headwise.errors import InputError
from headwise.serving.endless_texts import endless
from headwise.serving.errors import ApiError, all_answered, wishes_of_client
from headwise.serving.work.lanes import Done
from headwise.serving.work.model_thread import ModelThread
from headwise.serving.work.observer import NOBODY, WorkObserver

if TYPE_CHECKING:
    from torch import Tensor

    from headwise.backbones import EncodedText
    from headwise.entailment import EntailmentModel
    from headwise.entailment.passages import Steps
    from headwise.entailment.predicting import Prediction

# Tokens of a turn: what a processor reads in some tens of milliseconds
_TURN_TOKENS = 2048
# Characters of a token, about: only how pairs share a turn follows from it
_CHARACTERS = 4
# Documents that are compared with a query in a turn
_DOCUMENTS = 8
# Texts that are embedded in a turn, where batches would not remember them
_REMEMBERED = 8
# Passages of a source that are compared with a claim in a turn
PASSAGES_A_TURN = 8

Result = TypeVar("Result")


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
        most = self._model.backbone.max_length
        return [endless(most, *item) or item for item in items]

    def length(self, code: tuple[str, str]) -> int:
        """Tokens, about."""
        return sum(map(len, code)) // _CHARACTERS

    def run(self, codes: Sequence[tuple[str, str]]) -> "Iterator[Done[Prediction]]":
        """One window."""
        yield range(len(codes)), self._model.predict_window(codes)


class EmbeddingTexts:
    """Embeds texts in batches."""

    most_tokens = _TURN_TOKENS

    def __init__(self, model: "EntailmentModel") -> None:
        self._model = model

    def encode(self, items: Sequence[str]) -> "list[EncodedText | InputError]":
        """Tokenise texts."""
        backbone = self._model.backbone
        wrong = [endless(backbone.max_length, item) for item in items]
        good = [item for item, error in zip(items, wrong, strict=True) if error is None]
        codes = iter(backbone.encode(good, what="text"))
        return [next(codes) if error is None else error for error in wrong]

    def length(self, code: "EncodedText") -> int:
        """Tokens that the model reads."""
        return len(code)

    def run(self, codes: "Sequence[EncodedText]") -> Iterator[Done[Embedded]]:
        """One pass for all of them."""
        vectors = self._model.encoder.embed(codes)
        embedded = [Embedded(one, len(code)) for one, code in zip(vectors, codes, strict=True)]
        yield range(len(codes)), embedded


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

    @property
    def embedding_size(self) -> int:
        """Numbers of an embedding."""
        heads = self.model.heads
        if heads is None or heads.embedding is None:
            return self.model.backbone.embedding_size
        return heads.embedding.output_size

    def require_heads(self, what: str) -> None:
        """Say what cannot be done without heads, if there are none.

        Raises:
            ApiError: 400.
        """
        with wishes_of_client():
            self.model.encoder.heads_for(what)

    async def judge(
        self, pairs: Sequence[tuple[str, str]], *, threshold: float | None, param: str | None
    ) -> "list[Prediction]":
        """Predict pairs, all of which must be readable, and abstain from a threshold on.

        Raises:
            ApiError: 422 if one is not, 400 if there are no heads.
        """
        self.require_heads("predict")
        return [one.at(threshold) for one in all_answered(await self.predict(pairs), param=param)]

    async def late_interaction(
        self, query: str, documents: Sequence[str]
    ) -> tuple[list[float], int, int]:
        """Score documents for a query as `EntailmentModel.rerank` does, some at a turn.

        With the scores come the tokens of the query, and of all together.

        Raises:
            ApiError: 422 if a text cannot be read.
        """
        model = self.model
        encoded = await self.thread.turn(
            lambda: [
                *model.backbone.encode([query], what="query"),
                *model.backbone.encode(documents, what="document"),
            ]
        )
        if isinstance(encoded[0], InputError):
            raise ApiError.of(encoded[0], param="query")
        lengths = [len(code) for code in all_answered(encoded[1:], param="documents")]
        scores: dict[str, float] = {}
        # A text that comes again is scored once: in another batch it would be rounded otherwise
        distinct = list(dict.fromkeys(documents))
        for first in range(0, len(distinct), _DOCUMENTS):
            part = distinct[first : first + _DOCUMENTS]
            ranked = await self.thread.turn(partial(model.rerank, query, part))
            scores |= {one.document: one.score for one in ranked}
        tokens = len(encoded[0]) + sum(lengths)
        return [scores[document] for document in documents], len(encoded[0]), tokens

    async def in_steps(self, make: "Callable[[], Steps[Result]]") -> "Result":
        """What a generator returns, each of whose steps has a turn of its own."""

        def told() -> "Iterator[Result | None]":
            found = yield from make()
            yield found

        last: Result | None = None
        async for step in self.thread.steps(told):
            last = step
        return cast("Result", last)

    async def remember(self, texts: Sequence[str]) -> None:
        """Let the model read texts, some at a turn, so that what needs them next is quick."""
        remembered = self.model.encoder.remembered
        for first in range(0, len(texts), _REMEMBERED):
            part = texts[first : first + _REMEMBERED]
            await self.thread.turn(partial(remembered.embed, part, what="text"))

    async def count_tokens(self, texts: Iterable[str]) -> int:
        """Tokens of readable texts, each as often as it stands there."""
        listed = list(texts)
        encode = self.model.backbone.encode
        codes = await self.thread.turn(lambda: encode(listed, what="text"))
        return sum(len(code) for code in codes if not isinstance(code, InputError))

    async def predict(self, pairs: Sequence[tuple[str, str]]) -> "list[Prediction | InputError]":
        """Say what hypotheses are to premises, in batches with those of other requests."""
        return await self.thread.together(self._pairs, pairs)

    async def embed(self, texts: Sequence[str]) -> list[Embedded | InputError]:
        """Embed texts, in batches with those of other requests."""
        return await self.thread.together(self._texts, texts)
