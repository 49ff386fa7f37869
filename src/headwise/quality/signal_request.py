"""What is to be computed for every token, checked against what can be."""

from collections.abc import Iterable
from dataclasses import dataclass

from headwise.backbones import LanguageBackbone
from headwise.data.records.signals import Signal, parse_signals
from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES
from headwise.heads import ErrorHead, QualityHead, check_fit
from headwise.quality.calibration.record import Calibration


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


@dataclass(frozen=True, slots=True)
class SignalRequest:
    """What is to be computed for every token.

    Attributes:
        signals: In the order asked for; the first is the main one.
        alternatives: How many of the language model's most probable tokens to report.
        workspace_bytes: Bound on the memory of vocabulary-wide work.
        calibration: What ``quality`` is made with; needed only if that is asked for.
    """

    signals: tuple[Signal, ...]
    alternatives: int
    workspace_bytes: int
    calibration: Calibration | None = None

    @property
    def computed(self) -> frozenset[Signal]:
        """The signals that the models have to give: for ``quality``, what it is made of."""
        return frozenset(map(self.base_of, self.signals))

    def base_of(self, signal: Signal) -> Signal:
        """What a signal is made of: for ``quality`` what was calibrated, otherwise itself."""
        if signal is Signal.QUALITY and self.calibration is not None:
            return self.calibration.signal
        return signal

    @property
    def needs_error_head(self) -> bool:
        """Whether the error head has to run."""
        return any(signal.needs_error_head for signal in self.computed)

    @property
    def quality(self) -> Calibration | None:
        """The calibration, if ``quality`` is asked for."""
        return self.calibration if Signal.QUALITY in self.signals else None


def signal_request(
    names: Iterable[str] | None,
    heads: QualityHeads,
    calibration: Calibration | None,
    *,
    alternatives: int = 0,
    vocabulary_size: int,
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
) -> SignalRequest:
    """Check what a user asks for.

    Args:
        names: Names of signals; ``None`` for the default of these heads.
        heads: The heads that there are.
        calibration: What ``quality`` is made with, if there is one.
        alternatives: How many of the language model's own tokens are wanted.
        vocabulary_size: V, the most that there are.
        workspace_bytes: Bound on the memory of vocabulary-wide work.

    Raises:
        ValueError: If a signal is unknown or cannot be given, or `alternatives` is out of range.
    """
    signals = parse_signals([heads.default_signal(calibration)] if names is None else names)
    if Signal.QUALITY in signals and calibration is None:
        raise ValueError(
            "The signal 'quality' needs a calibration and the head has none; run `headwise "
            "calibrate`, or set `calibration`."
        )
    request = SignalRequest(signals, alternatives, workspace_bytes, calibration)
    for signal in Signal:
        if signal in request.computed and not heads.can_give(signal):
            raise ValueError(_lacking(signal, heads))
    if not 0 <= alternatives <= vocabulary_size:
        raise ValueError(f"`alternatives` must lie in [0, {vocabulary_size}], got {alternatives}.")
    return request


def _lacking(signal: Signal, heads: QualityHeads) -> str:
    possible = ", ".join(repr(one.value) for one in Signal if heads.can_give(one))
    if signal.needs_error_head:
        return (
            f"The signal '{signal}' needs an error head and none is loaded; give `error_head` "
            f"(`headwise train errors` makes one), or ask for one of {possible}."
        )
    return (
        f"The signal '{signal}' needs a head and none is loaded; give `head`, or ask for one of "
        f"{possible}."
    )
