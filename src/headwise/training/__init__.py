"""Objectives, and their wiring into Transformers' Trainer; no scoring."""

from headwise.training.abstention import train_abstention_head
from headwise.training.abstention_settings import (
    AbstentionReport,
    AbstentionTraining,
    Aim,
    ErrorLabels,
)
from headwise.training.defaults import default_settings
from headwise.training.error_head import (
    ErrorReport,
    ErrorTraining,
    LabelStage,
    fit_error_head,
    train_error_head,
)
from headwise.training.negatives import Combination, NegativeSampling
from headwise.training.nli import train_nli_head
from headwise.training.nli_settings import NLICriterion, NLIReport, NLITraining
from headwise.training.objective import Objective
from headwise.training.run_file import TrainingRun
from headwise.training.settings import (
    Criterion,
    Evaluation,
    FeatureChoice,
    RowUpdates,
    SigmoidTraining,
    TrainingReport,
)
from headwise.training.sigmoid import train_sigmoid_head

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
