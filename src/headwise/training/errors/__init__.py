"""Train an error head: on errors that were put in, and on what people marked; no scoring."""

from headwise.corruption import ErrorTexts, with_error_copies
from headwise.training.errors.fitting import fit_error_head
from headwise.training.errors.memorisation import Memorisation, measure_memorisation
from headwise.training.errors.output_calibration import OutputQuality
from headwise.training.errors.report import ErrorReport, ErrorStage
from headwise.training.errors.settings import ErrorRun, ErrorTraining, LabelStage, StatisticsChoice
from headwise.training.errors.train import train_uncalibrated_error_head

__all__ = [
    "ErrorReport",
    "ErrorRun",
    "ErrorStage",
    "ErrorTexts",
    "ErrorTraining",
    "LabelStage",
    "Memorisation",
    "OutputQuality",
    "StatisticsChoice",
    "fit_error_head",
    "measure_memorisation",
    "train_uncalibrated_error_head",
    "with_error_copies",
]
