"""Notices, over a whole job, that texts are not in the language that the heads know."""

from dataclasses import dataclass, field

from headwise.quality.calibration.record import Calibration
from headwise.quality.calibration.usual_words import UsualWords

# A few odd texts are in every file; this many are said
_SHARE = 0.2
_FEWEST = 2


@dataclass(slots=True)
class _Side:
    """Texts of one side, and those that lack the usual words of it; some have the other side's."""

    usual: UsualWords | None
    other: UsualWords | None
    judged: int = 0
    unlike: int = 0
    like_other: int = 0

    def add(self, text: str | None) -> None:
        if self.usual is None or text is None or (unlike := self.usual.is_unlike(text)) is None:
            return
        self.judged += 1
        self.unlike += unlike
        if unlike and self.other is not None:
            self.like_other += self.other.is_unlike(text) is False

    @property
    def is_foreign(self) -> bool:
        return self.unlike >= min(self.judged, max(_FEWEST, _SHARE * self.judged)) > 0

    @property
    def is_the_other(self) -> bool:
        return self.is_foreign and 2 * self.like_other > self.unlike


@dataclass(slots=True)
class UnlikeTexts:
    """Counts texts that lack the usual words of those that a calibration was fitted to.

    Attributes:
        calibration: Its usual words are compared; without them nothing is ever unlike.
    """

    calibration: Calibration | None
    _sources: _Side = field(init=False)
    _hypotheses: _Side = field(init=False)

    def __post_init__(self) -> None:
        known = self.calibration
        sources = None if known is None else known.usual_sources
        hypotheses = None if known is None else known.usual_hypotheses
        self._sources = _Side(sources, hypotheses)
        self._hypotheses = _Side(hypotheses, sources)

    def add(self, source: str | None, hypothesis: str | None = None) -> None:
        """Count a pair, or a source whose hypothesis the model is about to write."""
        self._sources.add(source)
        self._hypotheses.add(hypothesis)

    @property
    def warning(self) -> str | None:
        """What to say of all of them; ``None`` if there is nothing to say."""
        sides = (("sources", self._sources), ("hypotheses", self._hypotheses))
        foreign = [
            f"{side.unlike:,} of {side.judged:,} {name}" for name, side in sides if side.is_foreign
        ]
        if not foreign or self.calibration is None:
            return None
        languages = ", ".join(self.calibration.languages)
        data = ", ".join(self.calibration.provenance.data)
        known = "the texts that the heads were calibrated on" + (f" ({data})" if data else "")
        known = f"the heads were trained for ({languages})" if languages else known
        swapped = all(side.is_the_other for _, side in sides)
        remedy = (
            "Source and hypothesis look swapped."
            if swapped
            else "Their scores are not to be relied on; calibrate with such texts, or take heads "
            "that were trained for them."
        )
        return (
            f"Warning: {' and '.join(foreign)} seem to be in another language than {known}, or far "
            "from what they know: few words are in them that are usual in the texts of their "
            f"calibration. {remedy}"
        )
