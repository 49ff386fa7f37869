"""The settings that are compared: one base, and one thing changed at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from headwise.functional import EpsilonCut, LargestDrop
from headwise.training.sigmoid.objective_settings import NegativeSampling, Objective
from headwise.training.sigmoid.settings import SigmoidTraining

_DRAWN = NegativeSampling(frequency=0.0, softmax=0.5, uniform=0.5)
_OURS = Objective(negatives=_DRAWN, avoid=EpsilonCut(), positive_weight="balance")
_PAPER = Objective(
    negatives=NegativeSampling(frequency=0.5, softmax=0.5, candidates=128), avoid=LargestDrop()
)
_PLAIN = replace(_OURS, negatives=replace(_DRAWN, uniform=0.0), positive_weight=1.0)


@dataclass(frozen=True)
class Variant:
    """One run.

    Attributes:
        head_type: Of the head.
        layer: What g reads.
        positions: How many are learned from.
        objective: What is learned.
        settings: Everything else that is not the base's.
    """

    head_type: str = "shared_unembedding_head"
    layer: int = -1
    positions: int = 50_000
    objective: Objective = _OURS
    settings: Mapping[str, Any] = field(default_factory=dict)

    def training(self, seed: int) -> SigmoidTraining:
        """All settings of the run."""
        base: dict[str, Any] = {
            "epochs": 4,
            "context_size": 256,
            "learning_rate": 3e-3,
            "criterion": "auroc",
        }
        if self.layer != -1:
            base["layers"] = (-1, self.layer)
        return SigmoidTraining(
            head_type=self.head_type,
            objective=self.objective,
            seed=seed,
            **{**base, **self.settings},
        )


def _with(**settings: Any) -> Variant:
    return Variant(settings=settings)


_SHARED: dict[str, Variant] = {
    **{f"g from layer {layer}": Variant(layer=layer) for layer in (6, 9, 12, 15)},
    **{f"rank {rank}": _with(rank=rank) for rank in (16, 64)},
    **{f"context {size}": _with(context_size=size) for size in (16, 64, 1024)},
    **{f"learning rate {rate:g}": _with(learning_rate=rate) for rate in (3e-4, 1e-3, 1e-2)},
    **{f"{count:,} positions": Variant(positions=count) for count in (5_000, 20_000, 65_000)},
    "12 epochs": _with(epochs=12),
    "the paper's objective": Variant(objective=_PAPER),
    "avoid largest-drop": Variant(objective=replace(_OURS, avoid=LargestDrop())),
    "avoid none": Variant(objective=replace(_OURS, avoid=None)),
    "softmax only": Variant(objective=replace(_OURS, negatives=replace(_DRAWN, uniform=0.0))),
    "uniform only": Variant(
        objective=replace(_OURS, negatives=NegativeSampling(frequency=0, softmax=0, uniform=1))
    ),
    "40 negatives": Variant(objective=replace(_OURS, negatives=replace(_DRAWN, per_position=40))),
    "targets weigh as one negative": Variant(objective=replace(_OURS, positive_weight=1.0)),
    "softmax only, targets as one": Variant(objective=_PLAIN),
    "softmax only, targets as one, rank 16": Variant(objective=_PLAIN, settings={"rank": 16}),
    "softmax only, targets as one, 65,000 positions": Variant(objective=_PLAIN, positions=65_000),
}
VARIANTS: dict[str, Variant] = {
    "shared": Variant(),
    "rescaling, two numbers": Variant("rescaling_head"),
    **{f"shared, {name}": variant for name, variant in _SHARED.items()},
    "new unembedding": Variant("new_unembedding_head"),
    "new unembedding, contextual bias": Variant("contextual_unembedding_head"),
    "new unembedding, the paper's objective": Variant("new_unembedding_head", objective=_PAPER),
    "new unembedding, 65,000 positions": Variant("new_unembedding_head", positions=65_000),
}
