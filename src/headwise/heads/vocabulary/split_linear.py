"""The linear layer of one split, and whether it is still nothing but that."""

from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from headwise.errors import UnsupportedModelError


class SplitLinear(nn.Linear):
    """A linear layer that may have no outputs; PyTorch's warns of it each time it is reset."""

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, as PyTorch does."""
        if self.out_features:
            super().reset_parameters()

    def reset_bias(self) -> None:
        """Draw the bias alone anew, if there is one, as PyTorch does."""
        if self.bias is not None:
            nn.init.uniform_(self.bias, -(self.in_features**-0.5), self.in_features**-0.5)


def check_plain(layers: nn.ModuleDict) -> None:
    """Refuse splits that compute more than a product, which who reads weights would not see.

    Parametrised weights (``torch.nn.utils.parametrize``) are seen.

    Args:
        layers: One layer a split.

    Raises:
        UnsupportedModelError: If a layer is no :class:`SplitLinear`, or has hooks or a forward of
            its own.
    """
    for name, layer in layers.items():
        # A parametrised layer is of a class made for it alone
        kind = type(layer).__base__ if is_parametrized(layer) else type(layer)
        if kind is not SplitLinear:
            found = f"is {type(layer).__module__}.{type(layer).__name__}"
        elif layer._forward_pre_hooks or layer._forward_hooks or "forward" in layer.__dict__:
            found = "has forward hooks, or a forward of its own"
        else:
            continue
        raise UnsupportedModelError(
            f"The output layer of split {name!r} {found}, which losses without logits would not "
            "see: they read its weight alone. Leave `lm_head` out of adapters (LoRA's "
            "`target_modules`), quantisation, pruning and hooks, merge adapters "
            "(`merge_and_unload()`), or take the loss of the head's `logits(hidden_states)`."
        )
