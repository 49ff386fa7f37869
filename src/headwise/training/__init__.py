"""Objectives, and their wiring into Transformers' Trainer; no scoring.

Names are imported when they are used: settings alone, which commands show in their help, need
neither PyTorch nor Transformers.
"""

from typing import TYPE_CHECKING

from headwise.lazy_names import lazy_names

if TYPE_CHECKING:
    from headwise.training.abstention.settings import (
        AbstentionReport,
        AbstentionTarget,
        AbstentionTraining,
        ErrorLabels,
    )
    from headwise.training.abstention.train import train_abstention_head
    from headwise.training.errors import (
        ErrorReport,
        ErrorTraining,
        LabelStage,
        fit_error_head,
        train_uncalibrated_error_head,
    )
    from headwise.training.loop.run_file import TrainingRun
    from headwise.training.loop.settings import Criterion, DevEvaluation, FeatureChoice
    from headwise.training.nli.settings import NLICriterion, NLIReport, NLITraining
    from headwise.training.nli.train import train_nli_head
    from headwise.training.sigmoid.objective_settings import (
        Combination,
        NegativeSampling,
        Objective,
    )
    from headwise.training.sigmoid.report import TrainingReport
    from headwise.training.sigmoid.settings import RowUpdates, SigmoidTraining, default_settings
    from headwise.training.sigmoid.train import train_sigmoid_head

_HOMES = {
    ".abstention.settings": (
        "AbstentionReport",
        "AbstentionTarget",
        "AbstentionTraining",
        "ErrorLabels",
    ),
    ".abstention.train": ("train_abstention_head",),
    ".errors": (
        "ErrorReport",
        "ErrorTraining",
        "LabelStage",
        "fit_error_head",
        "train_uncalibrated_error_head",
    ),
    ".loop.run_file": ("TrainingRun",),
    ".loop.settings": ("Criterion", "DevEvaluation", "FeatureChoice"),
    ".nli.settings": ("NLICriterion", "NLIReport", "NLITraining"),
    ".nli.train": ("train_nli_head",),
    ".sigmoid.objective_settings": ("Combination", "NegativeSampling", "Objective"),
    ".sigmoid.report": ("TrainingReport",),
    ".sigmoid.settings": ("RowUpdates", "SigmoidTraining", "default_settings"),
    ".sigmoid.train": ("train_sigmoid_head",),
}

__all__ = [
    "AbstentionReport",
    "AbstentionTarget",
    "AbstentionTraining",
    "Combination",
    "Criterion",
    "DevEvaluation",
    "ErrorLabels",
    "ErrorReport",
    "ErrorTraining",
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
    "train_nli_head",
    "train_sigmoid_head",
    "train_uncalibrated_error_head",
]

__getattr__ = lazy_names(__name__, _HOMES)
