"""The small models that ship with the package, and the function that finds a model by name.

Weights and their cards live here as data; the models' code lives in other rooms.
"""

from headwise.bundled.registry import (
    BUNDLED_NAMES,
    ENTAILMENT_NAMES,
    MINILM,
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
    "locate",
    "locate_entailment",
]
