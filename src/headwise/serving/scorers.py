"""What scores the pairs of a request, put together once for all requests that wish the same."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from headwise.backbones.prompts import NAMED_PROMPTS
from headwise.data.records.signals import Signal
from headwise.serving.errors import wishes_of_client

if TYPE_CHECKING:
    from headwise.quality import QualityEstimator
    from headwise.quality.scorer import Scorer

# Requests ask for few combinations of signals; what an odd client asks for is not kept for ever
_SCORERS = 64


class Scorers:
    """Scorers of one language model and its heads, by what requests wish."""

    def __init__(self, estimator: "QualityEstimator") -> None:
        self._estimator = estimator
        self._known: OrderedDict[object, Scorer] = OrderedDict()

    def of(
        self,
        signals: Iterable[str] | None = None,
        *,
        alternatives: int = 0,
        threshold: float | None = None,
        segment_threshold: float | None = None,
        variables: Mapping[str, str] | None = None,
        alone: bool = False,
        ranks: bool = False,
    ) -> "Scorer":
        """What scores so; the same object for the same wishes.

        Texts that stand ``alone`` are read without a prompt. With ``ranks``, what the calibration
        ranks by is known of them, if ``quality`` is the main signal. Signals and `alternatives`
        are those of `QualityEstimator.score_many`, thresholds its attributes, ``variables`` the
        prompt's.

        Raises:
            ApiError: If a signal, number or variable is not possible.
        """
        names = None if signals is None else tuple(signals)
        bound = tuple(sorted((variables or {}).items()))
        key = (names, alternatives, threshold, segment_threshold, bound, alone, ranks)
        if (known := self._known.pop(key, None)) is None:
            with wishes_of_client():
                known = self._new(*key)
        self._known[key] = known
        while len(self._known) > _SCORERS:
            self._known.popitem(last=False)
        return known

    def _new(
        self,
        signals: tuple[str, ...] | None,
        alternatives: int,
        threshold: float | None,
        segment_threshold: float | None,
        variables: tuple[tuple[str, str], ...],
        alone: bool,
        ranks: bool,
    ) -> "Scorer":
        made = self._estimator.scorer(signals, alternatives)
        if threshold is not None or segment_threshold is not None:
            made = made.asking(
                chosen_threshold=threshold, chosen_segment_threshold=segment_threshold
            )
            made.request.check(made.heads, vocabulary_size=made.backbone.vocabulary_size)
        made = made.asking(ranks=ranks and made.request.signals[0] is Signal.QUALITY)
        if alone or variables:
            prompt = NAMED_PROMPTS["raw"] if alone else made.prompt
            prompt = prompt.bind(**dict(variables))
            made.backbone.check_prompt(prompt)
            made = replace(made, prompt=prompt)
        return made
