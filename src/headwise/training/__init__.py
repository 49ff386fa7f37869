"""Objectives, and their wiring into Transformers' Trainer; no scoring."""

from headwise.training.defaults import default_settings
from headwise.training.negatives import Combination, NegativeSampling
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
    "Combination",
    "Criterion",
    "Evaluation",
    "FeatureChoice",
    "NegativeSampling",
    "Objective",
    "RowUpdates",
    "SigmoidTraining",
    "TrainingReport",
    "TrainingRun",
    "default_settings",
    "train_sigmoid_head",
]
