"""A language model that a server runs."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from headwise.backbones.frozen_model import smallest_limit
from headwise.backbones.loading.layerless import load_layerless
from headwise.backbones.states.backbone import StatesBackbone
from headwise.backbones.states.http import Answers
from headwise.backbones.states.probe import check_not_normalised, probe_ids_of
from headwise.backbones.states.servers import server_of
from headwise.choices import ONLY_LAST


class RemoteBackbone(StatesBackbone):
    """A causal language model on a server of vLLM, SGLang or llama.cpp.

    The server gives the last hidden states of token ids. Tokeniser, config and output layer are
    read here, from the folder or hub id that ``model`` names, and no more of its weights.

    Attributes:
        served: What the server calls its model.
    """

    def __init__(
        self,
        url: str,
        model: str | Path,
        *,
        server: str | None = None,
        served: str | None = None,
        api_key: str | None = None,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        trust_remote_code: bool = False,
        seconds: float = 600.0,
        transport: Any = None,
    ) -> None:
        """Load what is needed here, and ask the server for the states of a few words.

        Args:
            url: Where the server is, ``http://host:8000``.
            model: A folder, GGUF file or hub id of the model that it serves.
            server: ``vllm``, ``sglang`` or ``llama.cpp``; by default what it turns out to be.
            served: What the server calls the model; by default the first that it lists.
            api_key: Sent as a bearer token.
            dtype: Type of the output layer here, and of hidden states.
            device: Where the output layer and heads compute.
            trust_remote_code: Whether code that comes with the model may run.
            seconds: How long an answer may take.
            transport: What carries requests in the place of the network (`httpx2`).

        Raises:
            StatesError: If the server cannot be reached, or refuses.
            MismatchError: If it normalises hidden states.
            UnknownModelError, UnsupportedModelError, WeightsError: As `load_backbone`.
        """
        self._answers = Answers(url, api_key=api_key, seconds=seconds, transport=transport)
        self._server = server_of(self._answers, server)
        parts = load_layerless(
            model, dtype=dtype, device=device, trust_remote_code=trust_remote_code
        )
        super().__init__(parts, origin=f"The {self._server.kind} server at {self._answers.url}")
        self.served = served or self._server.model_name(self._answers)
        check_not_normalised(self.states_of([probe_ids_of(self)]), origin=self.origin)

    @cached_property
    def max_length(self) -> int | None:
        """The longest input in tokens: what the model reads, or less if the server allows less."""
        longest = self._server.longest(self._answers)
        return smallest_limit(super().max_length, longest)

    def kind_of_states(self) -> str:
        """The kind of server; where it is does not matter."""
        return f"{self._server.kind}: {self.served}"

    def read_states(
        self, inputs: Sequence[Sequence[int]], layers: Sequence[int] = ONLY_LAST
    ) -> list[Tensor]:
        """States of all positions of some texts, as :meth:`StatesBackbone.read_states` says."""
        del layers  # the last alone is given
        return self._server.states(self._answers, self.served, inputs, self.hidden_size)
