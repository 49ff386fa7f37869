"""Train an error head: on errors that were put in, and on what people marked; no scoring."""

from typing import TYPE_CHECKING

from headwise.lazy_names import lazy_names
from headwise.training.errors.settings import ErrorTraining, LabelStage, StatisticsChoice

if TYPE_CHECKING:
    from headwise.corruption import ErrorTexts, with_error_copies
    from headwise.training.errors.fitting import fit_error_head
    from headwise.training.errors.memorisation import Memorisation, measure_memorisation
    from headwise.training.errors.output_calibration import OutputQuality
    from headwise.training.errors.report import ErrorReport, ErrorStage
    from headwise.training.errors.run_file import ErrorRun
    from headwise.training.errors.train import train_uncalibrated_error_head

# Imported when they are used: settings, which a command shows in its help, need no PyTorch
_HOMES = {
    "headwise.corruption": ("ErrorTexts", "with_error_copies"),
    ".fitting": ("fit_error_head",),
    ".memorisation": ("Memorisation", "measure_memorisation"),
    ".output_calibration": ("OutputQuality",),
    ".report": ("ErrorReport", "ErrorStage"),
    ".run_file": ("ErrorRun",),
    ".train": ("train_uncalibrated_error_head",),
}

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

__getattr__ = lazy_names(__name__, _HOMES)
