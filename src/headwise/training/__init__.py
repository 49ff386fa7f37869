"""Objectives, and their wiring into Transformers' Trainer; no scoring."""

from headwise.training.abstention.settings import (
    AbstentionReport,
    AbstentionTraining,
    Aim,
    ErrorLabels,
)
from headwise.training.abstention.train import train_abstention_head
from headwise.training.errors import (
    ErrorReport,
    ErrorTraining,
    LabelStage,
    fit_error_head,
    train_error_head,
)
from headwise.training.loop.run_file import TrainingRun
from headwise.training.loop.settings import Criterion, Evaluation, FeatureChoice
from headwise.training.nli.settings import NLICriterion, NLIReport, NLITraining
from headwise.training.nli.train import train_nli_head
from headwise.training.sigmoid.negatives import Combination, NegativeSampling
from headwise.training.sigmoid.objective import Objective
from headwise.training.sigmoid.settings import (
    RowUpdates,
    SigmoidTraining,
    TrainingReport,
    default_settings,
)
from headwise.training.sigmoid.train import train_sigmoid_head

__all__ = [
    "AbstentionReport",
    "AbstentionTraining",
    "Aim",
    "Combination",
    "Criterion",
    "ErrorLabels",
    "ErrorReport",
    "ErrorTraining",
    "Evaluation",
    "FeatureChoice",
    "LabelStage",
    "NLICriterion",
    "NLIReport",
    "NLITraining",
    "NegativeSampling",
    "Objective",
    "RowUpdates",
    "SigmoidTraining",
    "TrainingReport",
    "TrainingRun",
    "default_settings",
    "fit_error_head",
    "train_abstention_head",
    "train_error_head",
    "train_nli_head",
    "train_sigmoid_head",
]
