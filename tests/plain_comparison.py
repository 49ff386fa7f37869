"""What an interaction network gives for one pair, token by token from its parameters."""

import torch
from torch import Tensor
from torch.nn import functional as F

from headwise.heads import InteractionNetwork


def compared(network: InteractionNetwork, premise: Tensor, hypothesis: Tensor) -> Tensor:
    """Mean and maximum over both texts, ``(4D,)``, from token vectors ``(T, W)`` of each."""
    named = dict(network.named_parameters())

    def linear(name: str, given: Tensor) -> Tensor:
        return F.linear(given, named[f"{name}.weight"], named[f"{name}.bias"])

    def projected(tokens: Tensor) -> Tensor:
        inner = linear("projection.1", tokens)
        gain, shift = named["projection.2.weight"], named["projection.2.bias"]
        return F.gelu(F.layer_norm(inner, inner.shape[-1:], gain, shift))

    x, y = projected(premise), projected(hypothesis)
    keys = [F.gelu(linear("alignment.0", one)) for one in (x, y)]
    found = []
    for own, other, mine, theirs in ((x, y, *keys), (y, x, *keys[::-1])):
        rows = []
        shares = [
            torch.stack([key @ one for one in theirs]).div(len(key) ** 0.5).softmax(0)
            for key in mine
        ]
        place = [sum(share * (j + 0.5) for j, share in enumerate(one)) for one in shares]
        for i, token in enumerate(own):
            mean = sum(share * one for share, one in zip(shares[i], other, strict=True))
            order = [
                place[i] / len(other) - (i + 0.5) / len(own),
                torch.tanh((place[i] - place[i - 1]) / 3) if i else torch.tensor(0.0),
                torch.tanh((place[i + 1] - place[i]) / 3)
                if i + 1 < len(own)
                else torch.tensor(0.0),
                shares[i].max(),
            ]
            both = torch.cat([token, mean, token - mean, token * mean, torch.stack(order)])
            rows.append(F.gelu(linear("comparison.4", F.gelu(linear("comparison.1", both)))))
        found += [torch.stack(rows).mean(0), torch.stack(rows).amax(0)]
    return torch.cat(found)
