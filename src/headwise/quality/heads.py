"""The heads that a quality estimator scores with, and the signals that they make possible."""

from dataclasses import dataclass

from headwise.backbones import LanguageBackbone
from headwise.data.signals import Signal
from headwise.heads import ErrorHead, QualityHead, check_fit
from headwise.quality.calibration import Calibration


@dataclass(frozen=True, slots=True)
class QualityHeads:
    """Heads of one language model.

    Attributes:
        sigmoid: Gives the signal ``sigmoid``, or ``None``.
        error: Gives the signals ``error`` and ``omission``, or ``None``.
    """

    sigmoid: QualityHead | None = None
    error: ErrorHead | None = None

    def on(self, backbone: LanguageBackbone) -> "QualityHeads":
        """The same heads on the backbone's device, the error head in evaluation mode.

        Raises:
            MismatchError: If a head belongs to another backbone.
        """
        for head in (self.sigmoid, self.error):
            if head is not None:
                check_fit(
                    head,
                    vocabulary_size=backbone.vocabulary_size,
                    hidden_size=backbone.hidden_size,
                )
        return QualityHeads(
            None if self.sigmoid is None else self.sigmoid.to(backbone.device),
            None if self.error is None else self.error.to(backbone.device).eval(),
        )

    def can_give(self, signal: Signal, calibration: Calibration | None = None) -> bool:
        """Whether the language model and these heads can give a signal.

        Args:
            signal: Any signal.
            calibration: What ``quality`` would be made with.
        """
        if signal is Signal.QUALITY:
            return calibration is not None and self.can_give(calibration.signal)
        if signal is Signal.SIGMOID:
            return self.sigmoid is not None
        return self.error is not None or not signal.needs_error_head

    def default_signal(self, calibration: Calibration | None) -> Signal:
        """The best that there is: ``quality``, else ``error``, ``sigmoid``, ``softmax``."""
        ranked = (Signal.QUALITY, Signal.ERROR, Signal.SIGMOID)
        possible = (signal for signal in ranked if self.can_give(signal, calibration))
        return next(possible, Signal.SOFTMAX)
