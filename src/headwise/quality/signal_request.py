"""What is to be computed for every token, checked against what can be."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from headwise.backbones import LanguageBackbone
from headwise.backbones.layers import all_layers
from headwise.choices import ONLY_LAST
from headwise.data.records.signals import DEFAULT_THRESHOLD, Signal
from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES
from headwise.heads import (
    ErrorHead,
    QualityHead,
    check_fit,
    has_sigmoid_head,
    load_error_head,
    load_head,
)
from headwise.quality.calibration.blend import Blend
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
                    layer_widths=lambda: backbone.layer_widths,
                )
        return QualityHeads(
            None if self.sigmoid is None else self.sigmoid.to(backbone.device),
            None if self.error is None else self.error.to(backbone.device).eval(),
        )

    @classmethod
    def load(cls, folder: Path | None, backbone: LanguageBackbone) -> "QualityHeads":
        """Load what a folder holds; nothing if there is no folder.

        Raises:
            WeightsError: If weights are damaged or unsafe.
        """
        if folder is None:
            return cls()
        sigmoid, error = None, load_error_head(folder)
        # A folder without any head is an error, which the Sigmoid Head's loader describes
        if error is None or has_sigmoid_head(folder):
            sigmoid = load_head(folder, unembedding=lambda: backbone.unembedding)
        return cls(sigmoid, error)

    def can_give(self, signal: Signal, calibration: Calibration | None = None) -> bool:
        """Whether the language model and these heads, and a calibration, can give a signal."""
        if signal is Signal.QUALITY:
            return calibration is not None and all(map(self.can_give, calibration.made_of()))
        if signal is Signal.SIGMOID:
            return self.sigmoid is not None
        return self.error is not None or not signal.needs_error_head

    def needed(self, request: "SignalRequest") -> "QualityHeads":
        """Those that have to run for a request."""
        return QualityHeads(
            self.sigmoid if Signal.SIGMOID in request.computed else None,
            self.error if request.needs_error_head else None,
        )

    def run_vocabulary(self, request: "SignalRequest") -> bool:
        """Whether the output layer has to run for a request."""
        error = self.needed(request).error
        return request.needs_vocabulary or (error is not None and error.statistics)

    def layers(self, request: "SignalRequest", backbone: LanguageBackbone) -> tuple[int, ...]:
        """Layers that are read for a request, from the lowest to the last: `layer_numbers`."""
        needed = self.needed(request)
        read = [head.layers for head in (needed.sigmoid, needed.error) if head is not None]
        vocabulary = ONLY_LAST if self.run_vocabulary(request) else ()
        return all_layers(*map(backbone.layer_numbers, read), vocabulary)

    def default_signal(self, calibration: Calibration | None) -> Signal:
        """The best that there is: ``quality``, else ``error``, ``sigmoid``, ``softmax``."""
        ranked = (Signal.QUALITY, Signal.ERROR, Signal.SIGMOID)
        possible = (signal for signal in ranked if self.can_give(signal, calibration))
        return next(possible, Signal.SOFTMAX)


@dataclass(frozen=True)
class SignalRequest:
    """What is to be computed for every token.

    Attributes:
        signals: In the order asked for; the first is the main one. Without any, only texts are
            generated.
        alternatives: How many of the language model's most probable tokens to report.
        workspace_bytes: Bound on the memory of vocabulary-wide work.
        calibration: What ``quality`` is made with; needed only if that is asked for.
        chosen_threshold: Where the line is drawn on the confidence of the main signal, if not where
            the calibration does; in [0, 1].
        chosen_segment_threshold: The same for the probability that a text has no error.
        texts: Whether the probability that a whole text has no error is wanted with ``quality``.
        ranks: Whether what hypotheses of one source are ranked by is wanted with it.
    """

    signals: tuple[Signal, ...]
    alternatives: int = 0
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES
    calibration: Calibration | None = None
    chosen_threshold: float | None = None
    chosen_segment_threshold: float | None = None
    texts: bool = True
    ranks: bool = False

    # What follows from a request is worked out once, not for every batch

    @cached_property
    def computed(self) -> frozenset[Signal]:
        """The signals that the models have to give: for ``quality``, all that it is made of."""
        asked = frozenset(self.signals)
        if self.quality is None:
            return asked
        ranking = self.ranking is not None
        return asked - {Signal.QUALITY} | self.quality.made_of(texts=self.texts, ranking=ranking)

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

    @cached_property
    def ranking(self) -> Blend | None:
        """What hypotheses are ranked by, if it is wanted and the calibration says it."""
        return self.quality.ranking if self.ranks and self.quality is not None else None

    @cached_property
    def of_texts(self) -> frozenset[Signal]:
        """Signals of a text's tokens that its own numbers are made of, or that tokens weigh."""
        if self.quality is None:
            return frozenset()
        sentence = self.quality.sentence if self.texts else None
        context = self.quality.blend if self.quality.blend.reads_context else None
        blends = (context, None if sentence is None else sentence.blend, self.ranking)
        return frozenset(signal for one in blends if one is not None for signal in one.signals)

    @cached_property
    def threshold(self) -> float:
        """The confidence of the main signal below which something is to be checked."""
        if self.chosen_threshold is not None:
            return self.chosen_threshold
        if self.signals[:1] == (Signal.QUALITY,) and self.calibration is not None:
            return self.calibration.threshold
        return DEFAULT_THRESHOLD

    @cached_property
    def segment_threshold(self) -> float | None:
        """The probability of no error below which a text is flagged, if that is known."""
        if self.quality is None or self.quality.sentence is None:
            return None
        if self.chosen_segment_threshold is not None:
            return self.chosen_segment_threshold
        return self.quality.segment_threshold

    def check(self, heads: QualityHeads, *, vocabulary_size: int) -> None:
        """Refuse what these heads cannot give, impossible thresholds, too many alternatives.

        Raises:
            ValueError: With what could be asked for instead.
        """
        if Signal.QUALITY in self.signals and self.calibration is None:
            raise ValueError(
                "The signal 'quality' needs a calibration and the head has none; run `headwise "
                "calibrate`, or set `calibration`."
            )
        wanted = self.computed | (frozenset() if self.quality is None else self.quality.made_of())
        for signal in Signal:
            if signal in wanted and not heads.can_give(signal):
                raise ValueError(_lacking(signal, heads))
        for name, value in (
            ("threshold", self.chosen_threshold),
            ("segment_threshold", self.chosen_segment_threshold),
        ):
            if value is not None and not 0.0 <= value <= 1.0:
                raise ValueError(f"`{name}` must lie in [0, 1], got {value}.")
        if self.chosen_segment_threshold is not None and self.segment_threshold is None:
            raise ValueError(
                "`segment_threshold` is about the probability that a text has no error; that needs "
                "the signal 'quality' and a calibration that knows whole texts; leave it out."
            )
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
