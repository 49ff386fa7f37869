"""The errors that headwise names, so that a caller can tell them apart.

All of them say what was received, what is allowed and what to do. In a batch job, an
:class:`InputError` sets one row aside; every other error stops the job.
"""


class HeadwiseError(Exception):
    """Base class of every error that headwise names."""


class InputError(HeadwiseError, ValueError):
    """One input cannot be scored; the others can."""


class TextError(InputError):
    """A text is empty, is not text, or holds characters that no encoding can carry."""


class ContextLengthError(InputError):
    """Prompt and hypothesis together are longer than the backbone's context."""


class PromptError(HeadwiseError, ValueError):
    """A prompt template does not fit the tokeniser or the input."""


class PromptVariableError(PromptError, InputError):
    """A row lacks what a variable of the prompt takes from it, or names an unknown language."""


class PromptBoundaryError(PromptError, InputError):
    """In this text, the tokens of the prompt are not a prefix of those of prompt and hypothesis."""


class ChatTemplateError(PromptError, InputError):
    """The model's chat template refuses this conversation, or changes its answer."""


class MismatchError(HeadwiseError, ValueError):
    """A head and a backbone, or a backbone and its unembedding, do not belong together."""


class WeightsError(HeadwiseError, ValueError):
    """A weight file is damaged, missing, or of a kind that is not safe to load."""


class UnknownModelError(HeadwiseError, ValueError):
    """A model or head is neither bundled, nor a folder, nor to be found on the hub."""


class UnsupportedModelError(HeadwiseError, ValueError):
    """The model's architecture or tokeniser lacks what headwise needs from it."""


class StatesError(HeadwiseError, RuntimeError):
    """Hidden states that others compute cannot be had, or are not those of the model."""


class StageError(HeadwiseError, RuntimeError):
    """A stage of a cascade cannot be asked: its server refuses, fails, or is not there."""


class CalibrationError(HeadwiseError, ValueError):
    """A calibration file is damaged, or the data do not suffice to calibrate on."""


class TrainingError(HeadwiseError, RuntimeError):
    """Training cannot start or go on."""


class FinishedError(TrainingError):
    """The very training that is asked for is finished: nothing is left to do."""


class DataError(HeadwiseError, ValueError):
    """A data file is missing, damaged, or of a format or with columns that cannot be read."""


class OutputError(HeadwiseError, OSError):
    """An output cannot be written: it belongs to another run, or the disk is full."""


class UninitialisedError(HeadwiseError, RuntimeError):
    """A module on the ``meta`` device cannot get values, or did not get all of them."""


class ServingError(HeadwiseError, RuntimeError):
    """A server cannot start: an address is taken, keys cannot be read, or a package is missing."""


class ClusterError(HeadwiseError, RuntimeError):
    """A cluster cannot be reached or is too small for a job, or Ray is not installed."""
