"""What is to be computed for every token, checked against what can be."""

from dataclasses import dataclass
from functools import cached_property

from headwise.backbones import LanguageBackbone
from headwise.data.records.signals import Signal
from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES
from headwise.heads import ErrorHead, QualityHead, check_fit
from headwise.quality.calibration.record import Calibration


@dataclass(frozen=True, slots=True)
class QualityHeads:
    """Heads of one language model: ``error`` gives the signals ``error`` and ``omission``."""

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
        """Whether the language model and these heads, and a calibration, can give a signal."""
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


@dataclass(frozen=True)
class SignalRequest:
    """What is to be computed for every token.

    Attributes:
        signals: In the order asked for; the first is the main one.
        alternatives: How many of the language model's most probable tokens to report.
        workspace_bytes: Bound on the memory of vocabulary-wide work.
        calibration: What ``quality`` is made with; needed only if that is asked for.
    """

    signals: tuple[Signal, ...]
    alternatives: int = 0
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES
    calibration: Calibration | None = None

    # What follows from a request is worked out once, not for every batch

    @cached_property
    def computed(self) -> frozenset[Signal]:
        """The signals that the models have to give: for ``quality``, what it is made of."""
        return frozenset(map(self.base_of, self.signals))

    def base_of(self, signal: Signal) -> Signal:
        """What a signal is made of: for ``quality`` what was calibrated, otherwise itself."""
        if signal is Signal.QUALITY and self.calibration is not None:
            return self.calibration.signal
        return signal

    @cached_property
    def needs_error_head(self) -> bool:
        """Whether the error head has to run."""
        return any(signal.needs_error_head for signal in self.computed)

    @cached_property
    def needs_vocabulary(self) -> bool:
        """Whether the output layer has to run, whatever the error head reads."""
        return self.alternatives > 0 or any(signal.needs_vocabulary for signal in self.computed)

    @cached_property
    def quality(self) -> Calibration | None:
        """The calibration, if ``quality`` is asked for."""
        return self.calibration if Signal.QUALITY in self.signals else None

    def check(self, heads: QualityHeads, *, vocabulary_size: int) -> None:
        """Refuse what these heads cannot give, or more alternatives than there are tokens.

        Raises:
            ValueError: With what could be asked for instead.
        """
        if Signal.QUALITY in self.signals and self.calibration is None:
            raise ValueError(
                "The signal 'quality' needs a calibration and the head has none; run `headwise "
                "calibrate`, or set `calibration`."
            )
        for signal in Signal:
            if signal in self.computed and not heads.can_give(signal):
                raise ValueError(_lacking(signal, heads))
        if not 0 <= self.alternatives <= vocabulary_size:
            raise ValueError(
                f"`alternatives` must lie in [0, {vocabulary_size}], got {self.alternatives}."
            )


def _lacking(signal: Signal, heads: QualityHeads) -> str:
    possible = ", ".join(repr(one.value) for one in Signal if heads.can_give(one))
    needed = (
        "an error head and none is loaded; give `error_head` (`headwise train errors` makes one)"
        if signal.needs_error_head
        else "a head and none is loaded; give `head`"
    )
    return f"The signal '{signal}' needs {needed}, or ask for one of {possible}."
