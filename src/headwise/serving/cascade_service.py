"""A cascade, as requests share it: each model of ours has a thread of its own."""

import asyncio
import time
from typing import TYPE_CHECKING

from headwise.cascade.answers import CascadeAnswer
from headwise.cascade.cascade import Cascade, Walk
from headwise.cascade.guarantee import CascadeGuarantee
from headwise.cascade.loading import check_variables, load_stage
from headwise.cascade.stages import EstimatorStage, Stage, StageAnswer, WriterStage
from headwise.data.records.pairs import Pair
from headwise.errors import InputError
from headwise.quality import QualityEstimator
from headwise.serving.generation.writing import Writing
from headwise.serving.quality_service import QualityService
from headwise.serving.work.observer import NOBODY, WorkObserver

if TYPE_CHECKING:
    from headwise.serving.settings import ServerSettings

# As `headwise cascade` has it
_MOST_TOKENS = 256


class CascadeService:
    """Answers questions by the first stage that is sure.

    Attributes:
        cascade: Its stages and what they accept.
    """

    def __init__(
        self, first: QualityService, settings: "ServerSettings", observer: WorkObserver = NOBODY
    ) -> None:
        """Load the other stages.

        Raises:
            HeadwiseError: If one cannot be had, or a guarantee is for others.
        """
        stages = {first.name: first.estimator} | {
            name: load_stage(
                name,
                variables=settings.prompt_variables,
                columns=settings.prompt_columns,
                instruction=settings.instruction,
                most_tokens=_MOST_TOKENS,
                loading=settings.loading,
            )
            for name in settings.then
        }
        check_variables(stages.values(), [*settings.prompt_variables, *settings.prompt_columns])
        accept: float | CascadeGuarantee
        if settings.guarantee is not None:
            accept = CascadeGuarantee.load(settings.guarantee)
        else:
            assert settings.accept is not None
            accept = settings.accept
        self.cascade = Cascade(
            stages,
            accept=accept,
            costs=settings.costs,
            signal=settings.signal,
            max_new_tokens=_MOST_TOKENS,
        )
        self._first = first
        self._others = {
            name: QualityService(name, stage, observer)
            for name, stage in stages.items()
            if isinstance(stage, QualityEstimator) and name != first.name
        }

    def close(self) -> None:
        """End the threads of the models that are its own."""
        for service in self._others.values():
            service.thread.close()

    async def answer(self, asked: Pair, *, ask_all: bool = False) -> CascadeAnswer:
        """Answer the source of a pair, as :meth:`~headwise.cascade.Cascade.answer_pair` would.

        Raises:
            InputError: If no stage can read it.
            StageError: If a stage cannot be asked.
        """
        walk = Walk(self.cascade, asked, ask_all=ask_all)
        for stage in walk:
            started = time.perf_counter()
            try:
                found: StageAnswer | InputError = await self._asked(stage, asked)
            except InputError as error:
                found = error
            walk.put(found, seconds=time.perf_counter() - started)
        return walk.answer()

    async def _asked(self, stage: Stage, asked: Pair) -> StageAnswer:
        if isinstance(stage, WriterStage):
            text = await asyncio.to_thread(stage.write, asked)
            return (
                StageAnswer(text, None)
                if stage.judge is None
                else await self._judged(stage.judge, asked, text)
            )
        assert isinstance(stage, EstimatorStage)
        stage.check(asked)
        service = self._of(stage)
        scorer = service.scorers.of(stage.signals)
        writing = Writing(service, scorer, asked, dict(stage.options))
        return stage.rated((await writing.whole()).scored)

    async def _judged(self, judge: EstimatorStage, asked: Pair, text: str) -> StageAnswer:
        judge.check(asked)
        pair = Pair(asked.source, text, extra=asked.extra)
        (scored,) = await self._of(judge).score([pair], signals=judge.signals)
        if isinstance(scored, InputError):
            raise scored
        return judge.rated(scored)

    def _of(self, stage: EstimatorStage) -> QualityService:
        return self._others.get(stage.name, self._first)
