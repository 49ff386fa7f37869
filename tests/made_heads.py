"""Heads with parameters that are not those of the start, and the same heads by the seed's card."""

from typing import Any

import torch
from torch import Tensor, nn

from headwise.choices import NLIFeatures
from headwise.heads import (
    AbstentionHead,
    EmbeddingHead,
    InferenceInputs,
    InteractionNetwork,
    LateInteractionHead,
    NLIHead,
    PairedTokens,
    TaskHeads,
    TaskHeadsConfig,
)

H = 12


def stirred(module: Any) -> Any:
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return module.eval()


def made_heads(
    features: NLIFeatures = NLIFeatures.JOINT, *, hidden_size: int = H, **options: Any
) -> TaskHeads:
    """An NLI and an abstention head of small inner sizes, and what else is asked for."""
    config = TaskHeadsConfig(
        features=features, hidden_size=hidden_size, embedding_size=hidden_size, **options
    )
    width = hidden_size * len(config.layers)
    nli = made_nli_head(features, features.pooled_size(hidden_size), width)
    abstention = AbstentionHead(hidden_size=16, inner_size=8)
    return stirred(TaskHeads(config=config, nli=nli, abstention=abstention))


def made_nli_head(features: NLIFeatures, pooled_size: int, token_size: int) -> NLIHead:
    """A small NLI head, with a network that compares tokens if its features need one."""
    if not features.needs_tokens:
        return NLIHead(input_size=pooled_size, hidden_size=16)
    interaction = InteractionNetwork(token_size=token_size, inner_size=6)
    size = pooled_size + interaction.output_size
    return NLIHead(input_size=size, hidden_size=16, interaction=interaction)


def made_inputs(features: NLIFeatures, size: int = H) -> InferenceInputs:
    """What such heads read of seven pairs of four texts."""
    tokens = None
    if features.needs_tokens:
        lengths = torch.tensor([3, 1, 5, 2])
        ends = torch.tensor([[0, 1, 2, 3, 0, 2, 1], [1, 0, 3, 2, 0, 1, 2]])
        tokens = PairedTokens(torch.randn(11, size), lengths, *ends)
    return InferenceInputs(torch.randn(7, features.pooled_size(size)), tokens)


def all_heads(*, projected: bool) -> TaskHeads:
    """All four heads; the last two with and without weights."""
    size = 5 if projected else None
    heads = made_heads()
    heads.embedding = EmbeddingHead(hidden_size=H, output_size=size, normalise=False)
    heads.late_interaction = LateInteractionHead(hidden_size=H, output_size=size)
    return heads.eval()


class SeedHeads:
    """The heads as plain sequences, laid out as the seed's card describes them."""

    def __init__(self, hidden_size: int) -> None:
        self.nli_hidden = nn.Sequential(
            nn.Linear(hidden_size, 512), nn.LayerNorm(512), nn.GELU(), nn.Dropout(0.1)
        )
        self.nli_output = nn.Linear(512, 3)
        self.abstention_head = nn.Sequential(
            nn.Linear(515, 128), nn.LayerNorm(128), nn.GELU(), nn.Dropout(0.1), nn.Linear(128, 2)
        )
        self.parts = {
            "nli_hidden": self.nli_hidden.eval(),
            "nli_output": self.nli_output,
            "abstention_head": self.abstention_head.eval(),
        }

    def load(self, state: dict[str, Tensor]) -> None:
        used = 0
        for name, part in self.parts.items():
            own = {k[len(name) + 1 :]: v for k, v in state.items() if k.startswith(f"{name}.")}
            part.load_state_dict(own)
            used += len(own)
        assert used == len(state)

    def state(self) -> dict[str, Tensor]:
        return {
            f"{n}.{k}": v for n, part in self.parts.items() for k, v in part.state_dict().items()
        }

    @torch.no_grad()
    def __call__(self, first_token: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.nli_hidden(first_token)
        logits = self.nli_output(hidden)
        return logits, self.abstention_head(torch.cat([hidden, logits], dim=-1))
