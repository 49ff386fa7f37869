"""A language model with its heads, as requests share it."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from headwise.backbones.side_by_side import tokens_at_once
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.errors import InputError
from headwise.quality.common_batches import ToScore, scored_batches
from headwise.serving.endless_texts import endless
from headwise.serving.scorers import Scorers
from headwise.serving.work.lanes import Done
from headwise.serving.work.model_thread import ModelThread
from headwise.serving.work.observer import NOBODY, WorkObserver

if TYPE_CHECKING:
    from headwise.quality import QualityEstimator
    from headwise.quality.scorer import Scorer

# Batches that each thread works on in a turn: beginning and ending a turn costs the time of a few
# texts, and others wait for its end
_ROUNDS = 2


class Asked(NamedTuple):
    """A pair, what scores it, and what is made of its scores beside the batches."""

    scorer: "Scorer"
    pair: Pair
    then: Callable[[ScoredHypothesis], Any] | None


class ScoringPairs:
    """Scores pairs in batches, each with what its request asked for."""

    def __init__(self, estimator: "QualityEstimator") -> None:
        self._estimator = estimator

    @property
    def most_tokens(self) -> int:
        """A few batches: the first ones are answered while the others are worked on."""
        estimator = self._estimator
        return _ROUNDS * tokens_at_once(estimator.backbone, max_tokens=estimator.batch_tokens)

    def encode(self, items: Sequence[Asked]) -> list[ToScore | InputError]:
        """Tokenise pairs, those of one prompt together."""
        groups: dict[int, list[int]] = {}
        found: dict[int, ToScore | InputError] = {}
        most = self._estimator.backbone.max_length
        for place, item in enumerate(items):
            pair = item.pair
            said = (message["content"] for message in pair.history)
            if (error := endless(most, pair.source, pair.hypothesis, *said)) is not None:
                found[place] = error
            else:
                groups.setdefault(id(item.scorer), []).append(place)
        for places in groups.values():
            own = [items[place] for place in places]
            codes = own[0].scorer.encode([item.pair for item in own])
            for place, item, code in zip(places, own, codes, strict=True):
                if isinstance(code, InputError):
                    found[place] = code
                else:
                    found[place] = ToScore(item.scorer, item.pair, code, item.then)
        return [found[place] for place in range(len(items))]

    def length(self, code: ToScore) -> int:
        """Tokens that the model reads."""
        return len(code.encoded)

    def run(self, codes: Sequence[ToScore]) -> Iterator[Done[Any]]:
        """One pass for each batch."""
        return scored_batches(codes)


class QualityService:
    """Scores and generates for many requests at a time.

    Attributes:
        name: By which requests name the model.
        created: When it was loaded, in seconds since 1970.
        estimator: The model; its thread alone may use it.
        thread: Its thread.
        scorers: What scores with it, by what requests wish.
    """

    def __init__(
        self, name: str, estimator: "QualityEstimator", observer: WorkObserver = NOBODY
    ) -> None:
        self.name, self.estimator, self.created = name, estimator, int(time.time())
        self._work = ScoringPairs(estimator)
        self.thread = ModelThread(name, [self._work], observer)
        self.scorers = Scorers(estimator)

    async def score(
        self,
        pairs: Sequence[Pair],
        *,
        signals: Iterable[str] | None = None,
        alternatives: int = 0,
        threshold: float | None = None,
        segment_threshold: float | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> list[ScoredHypothesis | InputError]:
        """Score pairs in batches with those of other requests, in order.

        Arguments are those of `QualityEstimator.score_many`, with the thresholds that are
        attributes there, and values for variables of the prompt.

        Raises:
            ApiError: If a signal, number or variable is not possible.
        """
        scorer = self.scorers.of(
            signals,
            alternatives=alternatives,
            threshold=threshold,
            segment_threshold=segment_threshold,
            variables=variables,
        )
        return await self.made_of_scores(pairs, scorer)

    async def made_of_scores(
        self,
        pairs: Sequence[Pair],
        scorer: "Scorer",
        then: Callable[[ScoredHypothesis], Any] | None = None,
    ) -> list[Any]:
        """Score as :meth:`score`, with a scorer of this service, and make something of the scores.

        ``then`` is called in a thread, beside other batches: what answers cost does not hold up
        the loop that serves everybody.
        """
        items = [Asked(scorer, pair, then) for pair in pairs]
        return await self.thread.together(self._work, items)
