"""Stand-ins for what PEFT and quantisation make of layers."""

from torch import Tensor, nn


class Adapted(nn.Module):
    """What PEFT does: frozen weights, and a low-rank product beside one layer."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer
        self.down = nn.Linear(layer.in_features, 2, bias=False)
        self.up = nn.Linear(2, layer.out_features, bias=False)
        # Linear layers that are wrapped pass on these names
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, hidden: Tensor) -> Tensor:
        return self.layer(hidden) + self.up(self.down(hidden))


class Wrapped(nn.Linear):
    """A linear layer whose class may compute anything, as quantised ones do."""
