"""The layers of a language model that a head reads: what it is told of them, the best of a few."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from headwise.backbones import Backbone
from headwise.choices import LAST_LAYER, ONLY_LAST
from headwise.data.records.pairs import Pair
from headwise.errors import TrainingError
from headwise.heads import layers_in_words

logger = logging.getLogger(__name__)

SAMPLE = 500
"""Texts of each part that the layers are tried on, at most."""

# Where probes of other models were best, and the last layer, as shares of the depth
_DEPTHS = (1 / 3, 1 / 2, 2 / 3, 5 / 6)


def layer_arguments(backbone: Backbone, layers: Sequence[int]) -> dict[str, Any]:
    """What a head on some layers of a model is made with, by the names of its arguments.

    Raises:
        ValueError: If the model has no such layer.
        UnsupportedModelError: If others than the last are named, and those cannot be read.
    """
    # Once each: the number of the last layer is another name of -1
    numbers = tuple(dict.fromkeys(backbone.layer_numbers(layers)))
    if numbers == ONLY_LAST:
        return {"layers": numbers}
    every = backbone.layer_widths
    widths = [every[number] for number in numbers]
    same = set(widths) == {backbone.hidden_size}
    return {
        "layers": numbers,
        "layer_count": len(every) - 1,
        "layer_widths": None if same else widths,
    }


@dataclass(frozen=True, slots=True)
class LayerChoice:
    """What the layers that were tried are worth.

    Attributes:
        aurocs: ROC AUC of wrong tokens on a sample of dev of a head on each layer, by its number;
            ``None`` where it is undefined.
        layer_count: How many layers the model has.
    """

    aurocs: dict[int, float | None]
    layer_count: int

    @property
    def best(self) -> int:
        """The best layer; the lowest of equal ones, above which nothing has to run."""
        return max(self.aurocs, key=lambda layer: self.aurocs[layer] or 0.0)

    def __str__(self) -> str:
        """What was found, in one sentence."""
        found = ", ".join(
            f"{self.layer_count if layer == LAST_LAYER else layer} "
            f"{'undefined' if area is None else f'{area:.4f}'}"
            for layer, area in self.aurocs.items()
        )
        chosen = layers_in_words((self.best,), self.layer_count)
        return (
            f"AUROC of wrong tokens on a sample of dev by layer, of {self.layer_count}: {found}; "
            f"the head reads {chosen}."
        )


def depths_to_try(backbone: Backbone) -> tuple[int, ...]:
    """A few layers of a model, from the lowest to the last."""
    count = len(backbone.layer_widths) - 1
    middle = {round(share * count) for share in _DEPTHS} - {0, count}
    return (*sorted(middle), LAST_LAYER)


def sample(pairs: Sequence[Pair]) -> list[Pair]:
    """Some texts, the same ones every time, in their order."""
    chosen = random.Random(0).sample(range(len(pairs)), min(len(pairs), SAMPLE))
    return [pairs[i] for i in sorted(chosen)]


def choose_layer(backbone: Backbone, auroc: Callable[[int], float | None]) -> LayerChoice:
    """Try a few layers, say what they are worth, and choose.

    Args:
        backbone: The language model.
        auroc: Trains a head on a layer, and says how well it does on dev.

    Raises:
        TrainingError: If that is undefined for all layers.
    """
    choice = LayerChoice(
        {layer: auroc(layer) for layer in depths_to_try(backbone)}, len(backbone.layer_widths) - 1
    )
    if all(area is None for area in choice.aurocs.values()):
        raise TrainingError(
            "No layer can be chosen: the sample of dev does not have both right and wrong tokens. "
            "Name the layers (`layers`), or give more dev texts."
        )
    logger.info("%s", choice)
    return choice
