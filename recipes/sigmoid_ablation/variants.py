"""The settings that are compared: the method's own, and one thing changed at a time."""

from dataclasses import replace
from typing import Any

from headwise.functional import EpsilonCut, LargestDrop
from headwise.training.sigmoid.objective_settings import NegativeSampling, Objective
from headwise.training.sigmoid.settings import SigmoidTraining

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


OURS = changed(
    PAPER,
    head_type="contextual_unembedding_head",
    context_size=1024,
    avoid=EpsilonCut(),
    frequency=0.0,
    uniform=0.5,
)

_OF_PAPER: dict[str, dict[str, Any]] = {
    "scalar bias": {"head_type": "biased_unembedding_head"},
    "rescaled": {"head_type": "rescaled_unembedding_head"},
    "rescaling of the logits": {"head_type": "rescaling_head"},
    "contextual bias, 64": {"head_type": "contextual_unembedding_head", "context_size": 64},
    "contextual bias, 1024": {"head_type": "contextual_unembedding_head", "context_size": 1024},
    "avoid none": {"avoid": None},
    "avoid epsilon-cut": {"avoid": EpsilonCut()},
    "frequency only": {"softmax": 0.0},
    "softmax only": {"frequency": 0.0},
    "uniform only": {"frequency": 0.0, "softmax": 0.0, "uniform": 1.0},
    "temperature 1": {"temperature": 1.0},
    "softmax over all tokens": {"candidates": None},
    "40 negatives": {"per_position": 40},
    "random start": {"initialise": "random"},
    "learning rate 1e-4": {"learning_rate": 1e-4},
    "learning rate 1e-3": {"learning_rate": 1e-3},
    "learning rate 1e-2": {"learning_rate": 1e-2},
    "balanced": {"positive_weight": "balance"},
    "full vocabulary": {"negatives": None},
}
_OF_OURS: dict[str, dict[str, Any]] = {
    "no contextual bias": {"head_type": "new_unembedding_head"},
    "context 256": {"context_size": 256},
    "avoid none": {"avoid": None},
    "avoid largest-drop": {"avoid": LargestDrop()},
    "frequency and softmax": {"frequency": 0.5, "uniform": 0.0},
    "softmax only": {"uniform": 0.0},
    "uniform only": {"softmax": 0.0, "uniform": 1.0},
    "40 negatives": {"per_position": 40},
    "random start": {"initialise": "random"},
    "learning rate 1e-3": {"learning_rate": 1e-3},
    "balanced": {"positive_weight": "balance"},
    "ranking loss": {"margin_weight": 0.5},
    "full vocabulary": {"negatives": None},
}

VARIANTS: dict[str, SigmoidTraining] = {
    "ours": OURS,
    "paper": PAPER,
    **{f"ours, {name}": changed(OURS, **change) for name, change in _OF_OURS.items()},
    **{f"paper, {name}": changed(PAPER, **change) for name, change in _OF_PAPER.items()},
}
