"""Settings to begin with: the published ones, or what was found better for narrow models."""

from headwise.functional import EpsilonCut
from headwise.heads import ContextualSigmoidHead
from headwise.training.negatives import NegativeSampling
from headwise.training.objective import Objective
from headwise.training.settings import Criterion, SigmoidTraining

# The published heads belong to hidden states of 2,048 and 4,096 numbers
WIDE = 1024
LEARNING_RATE_WIDE, LEARNING_RATE_NARROW = 1e-4, 3e-3


def default_settings(hidden_size: int) -> SigmoidTraining:
    """Settings for a model of some width.

    From 1,024 on, they are the published ones. Below, they are those that won a comparison on a
    model of width 256 (``docs/ablation.md``): a contextual bias, negatives half from the softmax
    and half uniform, every token above a probability of 0.005 avoided, targets that weigh as much
    as their negatives together, and the head kept that separates dev tokens best.

    Args:
        hidden_size: H.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680, section 4 (training settings).
    """
    if hidden_size >= WIDE:
        return SigmoidTraining(learning_rate=LEARNING_RATE_WIDE)
    return SigmoidTraining(
        head_type=ContextualSigmoidHead.head_type,
        context_size=1024,
        objective=Objective(
            negatives=NegativeSampling(frequency=0.0, softmax=0.5, uniform=0.5),
            avoid=EpsilonCut(),
            positive_weight="balance",
        ),
        learning_rate=LEARNING_RATE_NARROW,
        criterion=Criterion.AUROC,
    )
