"""Train an error head: on errors that were put in, and on what people marked; no scoring."""

from headwise.training.error_head.error_run import ErrorRun
from headwise.training.error_head.error_training import train_error_head
from headwise.training.error_head.fitting import FittedErrors, fit_error_head
from headwise.training.error_head.memorisation import Memorisation, measure_memorisation
from headwise.training.error_head.output_calibration import OutputQuality
from headwise.training.error_head.report import ErrorReport, ErrorStage
from headwise.training.error_head.settings import ErrorTraining, LabelStage, StatisticsChoice
from headwise.training.error_head.texts import ErrorTexts, with_error_copies

__all__ = [
    "ErrorReport",
    "ErrorRun",
    "ErrorStage",
    "ErrorTexts",
    "ErrorTraining",
    "FittedErrors",
    "LabelStage",
    "Memorisation",
    "OutputQuality",
    "StatisticsChoice",
    "fit_error_head",
    "measure_memorisation",
    "train_error_head",
    "with_error_copies",
]
