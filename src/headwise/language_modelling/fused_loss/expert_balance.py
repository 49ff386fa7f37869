"""The auxiliary loss of mixtures of experts, computed by the model's own function."""

import sys
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from headwise.errors import UnsupportedModelError

_FUNCTION = "load_balancing_loss_func"


def wants_router_logits(model: PreTrainedModel, asked: bool | None) -> bool:
    """Whether a call adds the auxiliary loss: what it asks for, else what the config says."""
    if asked is not None:
        return asked
    return bool(getattr(model.config.get_text_config(), "output_router_logits", False))


def balance_loss(
    model: PreTrainedModel, router_logits: Any, attention_mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Compute how unevenly experts are used, and that times its coefficient; both are scalars.

    Raises:
        UnsupportedModelError: If the model's auxiliary loss is not of the usual form.

    References:
        Fedus et al. 2021, arXiv 2101.03961, Eqs. 4 to 6.
    """
    modules = [sys.modules.get(kind.__module__) for kind in type(model).__mro__]
    function = next((getattr(m, _FUNCTION) for m in modules if hasattr(m, _FUNCTION)), None)
    experts, chosen, coefficient = (
        _setting(model, name)
        for name in ("num_experts", "num_experts_per_tok", "router_aux_loss_coef")
    )
    if function is None or not router_logits or None in (experts, chosen, coefficient):
        raise UnsupportedModelError(
            f"The auxiliary loss of {type(model).__name__} is not known; set "
            "`output_router_logits=False` (the experts are then not balanced), or call "
            "`unpatch_lm_loss(model)`."
        )
    loss: Tensor = function(router_logits, experts, chosen, attention_mask)
    return loss, coefficient * loss


def _setting(model: PreTrainedModel, name: str) -> Any:
    # Models of text alone keep a copy, which is what their own forward reads
    own = getattr(model, name, None)
    return getattr(model.config.get_text_config(), name, None) if own is None else own
