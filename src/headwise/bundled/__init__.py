"""The small models that ship with the package, and the function that finds one by name.

Weights and their cards live here as data; the models' code lives in other rooms. Functions that
look into folders are imported when they are used: names alone need no PyTorch.
"""

from typing import TYPE_CHECKING

from headwise.bundled.names import BUNDLED_NAMES, ENTAILMENT_NAMES, MINILM, grounding_head
from headwise.lazy_names import lazy_names

if TYPE_CHECKING:
    from headwise.bundled.examples import example_pairs, example_pairs_of_languages
    from headwise.bundled.registry import (
        EntailmentLocation,
        ModelLocation,
        locate,
        locate_entailment,
    )

__all__ = [
    "BUNDLED_NAMES",
    "ENTAILMENT_NAMES",
    "MINILM",
    "EntailmentLocation",
    "ModelLocation",
    "example_pairs",
    "example_pairs_of_languages",
    "grounding_head",
    "locate",
    "locate_entailment",
]

_HOMES = {
    ".examples": ("example_pairs", "example_pairs_of_languages"),
    ".registry": ("EntailmentLocation", "ModelLocation", "locate", "locate_entailment"),
}
__getattr__ = lazy_names(__name__, _HOMES)
