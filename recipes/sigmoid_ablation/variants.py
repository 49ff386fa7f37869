"""The settings that are compared: the method's own, and one thing changed at a time."""

from dataclasses import replace
from typing import Any

from headwise.functional import EpsilonCut, LargestDrop
from headwise.training.negatives import NegativeSampling
from headwise.training.objective import Objective
from headwise.training.settings import SigmoidTraining

# The published recipe, but for the learning rate, which is for wider hidden states
PAPER = SigmoidTraining(
    objective=Objective(
        negatives=NegativeSampling(
            per_position=10, frequency=0.5, softmax=0.5, temperature=2.0, candidates=128
        ),
        avoid=LargestDrop(),
    ),
    learning_rate=3e-3,
    epochs=5,
    patience=5,
    features="cache",
)


def changed(base: SigmoidTraining, **changes: Any) -> SigmoidTraining:
    """A copy with other values, whether of the run, its objective or its negatives."""
    of_run = {n: value for n, value in changes.items() if hasattr(base, n)}
    of_objective = {n: value for n, value in changes.items() if hasattr(base.objective, n)}
    of_negatives = {n: v for n, v in changes.items() if n not in of_run and n not in of_objective}
    if of_negatives:
        assert base.objective.negatives is not None
        of_objective["negatives"] = replace(base.objective.negatives, **of_negatives)
    return replace(base, objective=replace(base.objective, **of_objective), **of_run)


CONTEXTUAL = changed(PAPER, head_type="contextual_unembedding_head", context_size=256)

_SHARED: dict[str, dict[str, Any]] = {
    "avoid none": {"avoid": None},
    "avoid epsilon-cut": {"avoid": EpsilonCut()},
    "frequency only": {"softmax": 0.0},
    "softmax only": {"frequency": 0.0},
    "uniform only": {"frequency": 0.0, "softmax": 0.0, "uniform": 1.0},
    "temperature 1": {"temperature": 1.0},
    "40 negatives": {"per_position": 40},
    "random start": {"initialise": "random"},
    "learning rate 1e-3": {"learning_rate": 1e-3},
    "learning rate 1e-2": {"learning_rate": 1e-2},
    "balanced": {"positive_weight": "balance"},
}

VARIANTS: dict[str, SigmoidTraining] = {
    "paper": PAPER,
    "contextual 256": CONTEXTUAL,
    "contextual 64": changed(CONTEXTUAL, context_size=64),
    "paper, scalar bias": changed(PAPER, head_type="biased_unembedding_head"),
    "paper, rescaled": changed(PAPER, head_type="rescaled_unembedding_head"),
    "rescaling of the logits": changed(PAPER, head_type="rescaling_head"),
    **{f"contextual 256, {name}": changed(CONTEXTUAL, **c) for name, c in _SHARED.items()},
    "contextual 256, softmax 80 %": changed(CONTEXTUAL, frequency=0.2, softmax=0.8),
    "contextual 256, add": changed(CONTEXTUAL, combination="add"),
    "contextual 256, softmax and uniform": changed(CONTEXTUAL, frequency=0.0, uniform=0.5),
    "contextual 256, epsilon-cut, softmax and uniform": changed(
        CONTEXTUAL, avoid=EpsilonCut(), frequency=0.0, uniform=0.5
    ),
    "contextual 256, epsilon-cut, full vocabulary": changed(
        CONTEXTUAL, avoid=EpsilonCut(), negatives=None
    ),
    "contextual 256, epsilon-cut, random start": changed(
        CONTEXTUAL, avoid=EpsilonCut(), initialise="random"
    ),
    "contextual 256, ranking loss": changed(CONTEXTUAL, margin_weight=0.5),
    **{f"paper, {name}": changed(PAPER, **c) for name, c in _SHARED.items()},
    "paper, learning rate 1e-4": changed(PAPER, learning_rate=1e-4),
    "paper, softmax over all tokens": changed(PAPER, candidates=None),
    "paper, full vocabulary": changed(PAPER, negatives=None),
    "contextual 256, full vocabulary": changed(CONTEXTUAL, negatives=None),
}
