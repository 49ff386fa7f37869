"""Heads, prompt and output layer of the model that vLLM serves; vLLM has its layers."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from headwise.backbones.frozen_model import smallest_limit
from headwise.backbones.loading.layerless import LayerlessModel, load_layerless
from headwise.backbones.states.backbone import StatesBackbone
from headwise.bundled import locate
from headwise.choices import ONLY_LAST
from headwise.errors import UnsupportedModelError
from headwise.quality import QualityEstimator
from headwise.quality.calibration.record import Calibration
from headwise.quality.loading import prompt_at
from headwise.quality.signal_request import QualityHeads
from headwise_vllm.settings import PluginSettings

if TYPE_CHECKING:
    from torch import Tensor
    from vllm.config import ModelConfig


class EngineBackbone(StatesBackbone):
    """A causal language model in vLLM's engine, which reads texts between two calls of the plugin.

    Attributes:
        longest: Tokens of the longest text that the engine takes.
    """

    def __init__(self, parts: LayerlessModel, *, longest: int) -> None:
        super().__init__(parts, origin="vLLM's engine")
        self.longest = longest

    @cached_property
    def max_length(self) -> int | None:
        """The longest input in tokens: what the model reads, or less if the engine takes less."""
        return smallest_limit(super().max_length, self.longest)

    def kind_of_states(self) -> str:
        """The engine."""
        return "vllm"

    def read_states(
        self, inputs: Sequence[Sequence[int]], layers: Sequence[int] = ONLY_LAST
    ) -> "list[Tensor]":
        """Refused: the engine reads prompts of requests, and gives their states back itself."""
        del inputs, layers
        raise UnsupportedModelError(f"{self.origin} reads the texts of requests and no others.")


def load_estimator(model: "ModelConfig", settings: PluginSettings) -> QualityEstimator:
    """Load what turns the engine's hidden states into scores.

    Raises:
        UnknownModelError, UnsupportedModelError, WeightsError, MismatchError, PromptError: As
            `QualityEstimator.from_pretrained`, and if a head reads layers that vLLM does not give.
    """
    location = locate(model.model, settings.head)
    parts = load_layerless(
        location.backbone, device=settings.device, trust_remote_code=model.trust_remote_code
    )
    backbone = EngineBackbone(parts, longest=model.max_model_len)
    heads = QualityHeads.load(location.head, backbone)
    calibration = None
    if location.head is not None:
        calibration = Calibration.load(location.head, model=location.backbone)
    template = prompt_at(location, backbone, settings.prompt, row_languages=False)
    bound = template.bind(**settings.prompt_variables).bind_columns(**settings.prompt_columns)
    estimator = QualityEstimator(
        *(backbone, heads.sigmoid),
        error_head=heads.error,
        prompt=bound,
        calibration=calibration,
    )
    estimator.scorer()  # a head of other layers is refused now, not at the first request
    return estimator
