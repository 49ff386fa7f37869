"""Models in a row: the first whose answer is good enough answers, or none does; no training."""

from headwise.cascade.answers import Attempt, CascadeAnswer
from headwise.cascade.cascade import Cascade
from headwise.cascade.chat_model import ChatModel
from headwise.cascade.guarantee import CascadeGuarantee, make_guarantee
from headwise.cascade.stages import EstimatorStage, Stage, WriterStage
from headwise.cascade.trials import Trials, read_trials

__all__ = [
    "Attempt",
    "Cascade",
    "CascadeAnswer",
    "CascadeGuarantee",
    "ChatModel",
    "EstimatorStage",
    "Stage",
    "Trials",
    "WriterStage",
    "make_guarantee",
    "read_trials",
]
