"""The IO processor: pairs become token ids for the engine, its hidden states become rows."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import torch
from vllm.config import VllmConfig
from vllm.inputs import TokensPrompt
from vllm.outputs import PoolingRequestOutput
from vllm.plugins.io_processors.interface import IOProcessor
from vllm.pooling_params import PoolingParams
from vllm.renderers import BaseRenderer

from headwise.backbones.encodings import length_batches
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import Level, ScoredHypothesis
from headwise.data.writers import scored_row
from headwise.errors import InputError
from headwise.quality.common_batches import ToScore
from headwise.quality.scorer import Scorer
from headwise.serving.errors import ApiError
from headwise.serving.quality_service import Asked, ScoringPairs
from headwise.serving.schemas.scores import ScoreRequest, pair_or_error
from headwise.serving.scorers import Scorers
from headwise_vllm.loading import EngineBackbone, load_estimator
from headwise_vllm.settings import PluginSettings


class UnderWay(NamedTuple):
    """A request whose texts the engine reads.

    Attributes:
        scorer: What scores its pairs.
        items: Its pairs as token ids, or what is wrong with them.
        level: What a row holds.
    """

    scorer: Scorer
    items: list[ToScore | InputError]
    level: Level

    @property
    def good(self) -> list[ToScore]:
        """Pairs that the engine reads."""
        return [item for item in self.items if isinstance(item, ToScore)]


class HeadwiseProcessor(IOProcessor[ScoreRequest, list[dict[str, Any]]]):
    """Scores pairs with heads on the model that vLLM serves.

    vLLM calls :meth:`pre_process` in its event loop and :meth:`post_process` in a thread. What the
    one leaves for the other is kept by the id of the request, until its task ends in any way.
    """

    def __init__(self, vllm_config: VllmConfig, renderer: BaseRenderer) -> None:
        super().__init__(vllm_config, renderer)
        self._settings = PluginSettings.of(vllm_config.additional_config)
        self._estimator = load_estimator(vllm_config.model_config, self._settings)
        self._scorers = Scorers(self._estimator)
        self._pairs = ScoringPairs(self._estimator)
        self._under_way: dict[str | None, UnderWay] = {}

    def parse_data(self, data: object) -> ScoreRequest:
        """Read the ``data`` of a request.

        Raises:
            ValueError: If it is not what ``POST /v1/score`` of headwise's server takes.
        """
        asked = ScoreRequest.model_validate(data)
        if asked.model is not None:
            raise ValueError("`model` stands beside `data`, not in it.")
        most, given = self._settings.most_pairs, len(asked.items())
        if not 0 < given <= most:
            raise ValueError(f"A request holds 1 to {most} pairs, got {given}; send several.")
        return asked

    def merge_pooling_params(self, params: PoolingParams | None = None) -> PoolingParams:
        """Hidden states of all tokens, as the last norm leaves them."""
        del params
        return PoolingParams(task="token_embed", use_activation=False)

    def pre_process(
        self, prompt: ScoreRequest, request_id: str | None = None, **_: Any
    ) -> list[TokensPrompt]:
        """Token ids of the pairs that can be scored.

        Raises:
            ValueError: If signals or other wishes are not possible, or the id is in use.
        """
        if request_id in self._under_way:
            raise ValueError(f"A request with the id {request_id} is under way; send another id.")
        try:
            scorer = self._scorers.of(**prompt.wishes(), alone=prompt.texts is not None)
        except ApiError as error:
            raise ValueError(error.message) from error
        work = UnderWay(scorer, self._encode(scorer, prompt), prompt.level)
        self._keep(request_id, work)
        # vLLM refuses a request without any prompt
        inputs = [list(item.encoded.input_ids) for item in work.good] or [[0]]
        return [TokensPrompt(prompt_token_ids=ids) for ids in inputs]

    def post_process(
        self, model_output: Sequence[PoolingRequestOutput], request_id: str | None = None, **_: Any
    ) -> list[dict[str, Any]]:
        """A row for each pair of a request, or ``error`` with the reason in its place."""
        work = self._under_way.pop(request_id)
        states = [output.outputs.data for output in model_output]
        scored = iter(_scored(work, states))
        return [
            ApiError.of(item).body()
            if isinstance(item, InputError)
            else scored_row(next(scored), work.level)
            for item in work.items
        ]

    def _encode(self, scorer: Scorer, asked: ScoreRequest) -> list[ToScore | InputError]:
        read = [pair_or_error(item) for item in asked.items()]
        good = [Asked(scorer, pair, None) for pair in read if isinstance(pair, Pair)]
        encoded = iter(self._pairs.encode(good))
        return [next(encoded) if isinstance(one, Pair) else one for one in read]

    def _keep(self, request_id: str | None, work: UnderWay) -> None:
        self._under_way[request_id] = work

        def drop(_: object) -> None:
            if self._under_way.get(request_id) is work:
                del self._under_way[request_id]

        # Offline there is no loop, and nobody who could leave
        with suppress(RuntimeError):
            task = asyncio.current_task()
            if task is not None:
                task.add_done_callback(drop)


@torch.inference_mode()
def _scored(work: UnderWay, states: Sequence[torch.Tensor]) -> list[ScoredHypothesis]:
    """Scores of the pairs that the engine read, in order, a batch at a time."""
    scorer, items = work.scorer, work.good
    backbone = scorer.backbone
    assert isinstance(backbone, EngineBackbone)
    found: dict[int, ScoredHypothesis] = {}
    lengths = [len(item.encoded) for item in items]
    for places in length_batches(lengths, max_tokens=scorer.batch_tokens):
        encoded = [items[place].encoded for place in places]
        hidden = backbone.targets_in([states[place] for place in places], encoded)
        scored = scorer.score_hidden([items[place].pair for place in places], encoded, hidden)
        found |= dict(zip(places, scored, strict=True))
    return [found[place] for place in range(len(items))]
