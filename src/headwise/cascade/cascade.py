"""`Cascade`: answer by the small model where it is sure, else ask the next one, else abstain."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, Literal, cast

from headwise.backbones.addresses import is_address
from headwise.cascade.answers import Attempt, CascadeAnswer
from headwise.cascade.chat_model import ChatModel
from headwise.cascade.guarantee import CascadeGuarantee
from headwise.cascade.stages import (
    DeclinedError,
    EstimatorStage,
    Stage,
    StageAnswer,
    WriterStage,
)
from headwise.data.records.pairs import Pair
from headwise.data.records.signals import Signal
from headwise.errors import InputError
from headwise.quality import QualityEstimator

Stagelike = QualityEstimator | str | Callable[[Pair], str] | Stage
"""What can be a stage: a model, the name of one, ``http://host#NAME``, a function, a `Stage`."""


class Cascade:
    """Asks models in turn until an answer is good enough.

    Attributes:
        stages: Who is asked, the cheapest first.
        accept: From which quality on an answer is given, a number a stage; or what is guaranteed.
    """

    def __init__(
        self,
        stages: Sequence[Stagelike] | Mapping[str, Stagelike],
        *,
        accept: float | Sequence[float] | CascadeGuarantee,
        costs: Sequence[float] | None = None,
        signal: Signal | str | None = None,
        **options: Any,
    ) -> None:
        """Put stages in a row; nothing is asked yet.

        Args:
            stages: Models, the cheapest first, by their names if it is a mapping: a
                `QualityEstimator`, what `QualityEstimator.from_pretrained` takes, a model behind a
                server as ``http://host:8000#NAME``, a function from a `Pair` to a text, or a
                `Stage`. Of servers and functions, the first estimator judges the answers.
            accept: From which quality on an answer is given: a number for all stages, one for each,
                or a guarantee that :func:`~headwise.cascade.make_guarantee` made. Qualities are
                compared with one number: they should mean the same in all stages, as calibrated
                probabilities do.
            costs: Price of an answer of each stage, in one unit; by default a `Stage` has its own,
                and seconds are counted of others.
            signal: Whose mean over the tokens is an answer's quality; by default that of the
                guarantee, or else the calibrated probability that the text has no error, or else
                the main signal.
            options: Of the generation of estimators, as in `QualityEstimator.generate`.

        Raises:
            ValueError: If there is no stage, numbers are not as many as stages, names are the same,
                some stages have no price, or a stage without quality is not the last.
            MismatchError: If a guarantee was made for other stages or another signal.
        """
        named = stages if isinstance(stages, Mapping) else dict(_named(stages))
        if not named:
            raise ValueError("`stages` must hold one model or more, got none.")
        if signal is None and isinstance(accept, CascadeGuarantee):
            signal = accept.signal
        chosen = None if signal is None else Signal(signal)
        prices = [None] * len(named) if costs is None else list(costs)
        if len(prices) != len(named):
            raise ValueError(
                f"`costs` must have a price for each of {len(named)} stages, got {len(prices)}."
            )
        self.stages = tuple(_stages(named, prices, chosen, options))
        if len({stage.cost is None for stage in self.stages}) > 1:
            raise ValueError("Give all stages a price (`costs`), or none: seconds are no prices.")
        for stage in self.stages[:-1]:
            if not stage.rates:
                raise ValueError(
                    f"Nobody says how good the answers of `{stage.name}` are: it must be the last "
                    "stage, or have a `judge`."
                )
        self.signal = chosen
        self.accept: tuple[float, ...] | CascadeGuarantee
        if isinstance(accept, CascadeGuarantee):
            accept.check(self.names, signal=chosen)
            self.accept = accept
        else:
            numbers = list(accept) if isinstance(accept, Sequence) else [accept] * len(named)
            if len(numbers) != len(named):
                raise ValueError(
                    f"`accept` must be one number, or one for each of {len(named)} stages, got "
                    f"{len(numbers)}."
                )
            self.accept = tuple(float(number) for number in numbers)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the stages, in their order."""
        return tuple(stage.name for stage in self.stages)

    @property
    def counts_seconds(self) -> bool:
        """Whether costs are seconds, since stages have no prices."""
        return self.stages[0].cost is None

    def accepts(self, place: int, quality: float | None) -> bool:
        """Whether an answer is good enough to be given.

        Args:
            place: Index of the stage that gave it.
            quality: How good it is; ``None`` if that is not known.
        """
        if isinstance(self.accept, CascadeGuarantee):
            if self.accept.accept_from is None:
                return False
            threshold = self.accept.accept_from
        else:
            threshold = self.accept[place]
        if not self.stages[place].rates:
            return True
        return quality is not None and quality >= threshold

    def answer(
        self, source: str, *, row: Mapping[str, Any] | None = None, ask_all: bool = False
    ) -> CascadeAnswer:
        """Answer a question.

        Args:
            source: The question, or the text to translate.
            row: Columns beside it, which prompts may take variables from.
            ask_all: Whether all stages are asked, to compare them; the answer stays the same, and
                so does its cost.

        Raises:
            InputError: If no stage can read it.
            StageError: If a stage cannot be asked.
        """
        (found,) = self.answer_many([source], rows=[row or {}], ask_all=ask_all)
        return cast(CascadeAnswer, found)  # an error was raised

    def answer_many(
        self,
        sources: Iterable[str],
        *,
        rows: Iterable[Mapping[str, Any]] | None = None,
        ask_all: bool = False,
        errors: Literal["raise", "yield"] = "raise",
    ) -> Iterator[CascadeAnswer | InputError]:
        """Answer questions one by one, in their order; they are read when needed.

        Args:
            sources: The questions.
            rows: Columns beside each.
            ask_all: As in :meth:`answer`.
            errors: Whether a question that no stage can read raises its error, or yields it.

        Yields:
            One answer a question.
        """
        if errors not in ("raise", "yield"):
            raise ValueError(f"`errors` must be 'raise' or 'yield', got {errors!r}.")
        if isinstance(sources, str):
            raise TypeError("`sources` must be texts; `answer` takes one.")
        if rows is None:
            pairs = (Pair(source, "") for source in sources)
        else:
            pairs = (Pair(source, "", extra=row) for source, row in zip(sources, rows, strict=True))
        for asked in pairs:
            try:
                yield self.answer_pair(asked, ask_all=ask_all)
            except InputError as error:
                if errors == "raise":
                    raise
                yield error

    def answer_pair(self, asked: Pair, *, ask_all: bool = False) -> CascadeAnswer:
        """Answer the source of a pair; see :meth:`answer`.

        Args:
            asked: The question, with the columns beside it; its hypothesis is not read.
            ask_all: As in :meth:`answer`.
        """
        walk = Walk(self, asked, ask_all=ask_all)
        for stage in walk:
            started = time.perf_counter()
            try:
                found: StageAnswer | InputError = stage.answer(asked)
            except InputError as error:
                found = error
            walk.put(found, seconds=time.perf_counter() - started)
        return walk.answer()

    def content(self) -> dict[str, Any]:
        """What answers follow from, as plain values."""
        accept = self.accept
        return {
            "stages": {stage.name: dict(stage.content()) for stage in self.stages},
            "costs": [stage.cost for stage in self.stages],
            "signal": None if self.signal is None else self.signal.value,
            "accept": list(accept) if isinstance(accept, tuple) else accept.model_dump(),
        }


class Walk:
    """One question on its way through the stages; whoever iterates asks them and puts answers in.

    Attributes:
        attempts: What has been answered so far.
    """

    def __init__(self, cascade: Cascade, asked: Pair, *, ask_all: bool = False) -> None:
        self.attempts: list[Attempt] = []
        self._cascade, self._asked, self._ask_all = cascade, asked, ask_all
        self._failures: list[InputError] = []
        self._given = False

    def __iter__(self) -> Iterator[Stage]:
        """The stages that are to be asked, each after the answer of the one before was put in."""
        for stage in self._cascade.stages:
            if self._given and not self._ask_all:
                return
            yield stage

    def put(self, found: StageAnswer | InputError, *, seconds: float) -> None:
        """Take what the stage that was asked last answered, or why it did not."""
        place = len(self.attempts)
        stage = self._cascade.stages[place]
        if isinstance(found, InputError):
            self._failures.append(found)
            self.attempts.append(Attempt.failed(stage, found, seconds=seconds))
            return
        accepted = not self._given and self._cascade.accepts(place, found.quality)
        self.attempts.append(Attempt.of(stage, found, accepted=accepted, seconds=seconds))
        self._given = self._given or accepted

    def answer(self) -> CascadeAnswer:
        """What came of it.

        Raises:
            InputError: If no stage could read the question.
        """
        unreadable = [one for one in self._failures if not isinstance(one, DeclinedError)]
        if len(unreadable) == len(self._cascade.stages):
            raise unreadable[0]
        asked = self._asked
        return CascadeAnswer(
            source=asked.source or "", attempts=tuple(self.attempts), extra=asked.extra
        )


def _named(stages: Iterable[Stagelike]) -> Iterator[tuple[str, Stagelike]]:
    """Stages with the names that they have, or else with their places."""
    seen: set[str] = set()
    for place, stage in enumerate(stages, start=1):
        known = stage if isinstance(stage, str) else getattr(stage, "name", None)
        name = known if isinstance(known, str) else f"stage {place}"
        if name in seen:
            raise ValueError(
                f"Two stages are called `{name}`; name them: {{'small': ..., 'big': ...}}."
            )
        seen.add(name)
        yield name, stage


def _stages(
    named: Mapping[str, Stagelike],
    prices: Sequence[float | None],
    signal: Signal | None,
    options: Mapping[str, Any],
) -> Iterator[Stage]:
    judge: EstimatorStage | None = None
    for (name, stage), cost in zip(named.items(), prices, strict=True):
        if isinstance(stage, str) and not is_address(stage):
            stage = QualityEstimator.from_pretrained(stage)
        if isinstance(stage, QualityEstimator):
            made = EstimatorStage(
                estimator=stage, name=name, cost=cost, signal=signal, options=options
            )
            judge = judge or made
            yield made
        elif isinstance(stage, str):
            yield WriterStage(write=ChatModel.named(stage), name=name, judge=judge, cost=cost)
        elif hasattr(stage, "answer"):
            ready = copy(cast(Stage, stage))
            ready.cost = ready.cost if cost is None else cost
            yield ready
        elif callable(stage):
            yield WriterStage(write=stage, name=name, judge=judge, cost=cost)
        else:
            raise TypeError(
                f"A stage must be a model, the name of one, or a function, got {stage!r}."
            )
