"""Models in a row: the first whose answer is good enough answers, or none does; no training."""

from headwise.cascade.answers import Attempt, CascadeAnswer
from headwise.cascade.cascade import Cascade
from headwise.cascade.chat_model import ChatModel
from headwise.cascade.guarantee import CascadeGuarantee, make_guarantee
from headwise.cascade.stages import (
    DeclinedError,
    EstimatorStage,
    Stage,
    StageAnswer,
    WriterStage,
)
from headwise.cascade.trials import Trials, read_trials

__all__ = [
    "Attempt",
    "Cascade",
    "CascadeAnswer",
    "CascadeGuarantee",
    "ChatModel",
    "DeclinedError",
    "EstimatorStage",
    "Stage",
    "StageAnswer",
    "Trials",
    "WriterStage",
    "make_guarantee",
    "read_trials",
]
