"""The record of a scored hypothesis, and its row of JSON."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from headwise.data.records.error_spans import ErrorSpan, Range
from headwise.data.records.scored_pieces import (
    Alternative,
    ScoredGap,
    ScoredSpan,
    ScoredToken,
    Signals,
    gap_threshold,
    joined_ranges,
    low_tokens,
)
from headwise.data.records.scored_rows import fields_of_row
from headwise.data.records.signals import (
    DEFAULT_THRESHOLD,
    Aggregation,
    Signal,
    aggregate,
    values_of,
)
from headwise.data.records.word_tags import WordTags, marks_row
from headwise.data.records.words import is_inside, placeholder_ranges, word_ranges

__all__ = [
    "Alternative",
    "Level",
    "ScoredGap",
    "ScoredHypothesis",
    "ScoredSpan",
    "ScoredToken",
    "Signals",
]

Level = Literal["sentence", "word", "token"]
"""How much of a text a row has: its score alone, also those of words, or those of tokens."""


@dataclass(frozen=True)
class ScoredHypothesis:
    """A hypothesis and the scores of its tokens.

    Attributes:
        source: What the hypothesis answers to or translates; ``None`` for text on its own.
        hypothesis: The scored text.
        tokens: Its tokens in order, without special ones.
        special_tokens: The special tokens that close the sequence after the hypothesis.
        signals: What was asked for; the first one is the main one.
        extra: Other columns of the row that the pair came from.
        errors: What people marked as wrong; ``()`` if nothing, ``None`` if nobody looked.
        tags: What they said of each of its words, if they were asked that way.
        quality: Calibrated probability that the text has no error, in (0, 1), if ``quality`` was
            asked for and the calibration knows texts; written as ``text_quality``.
        threshold: What was scored is to be checked where the confidence of the main signal (see
            :meth:`Signal.confidence`) lies below it. ``None`` if nobody drew a line; 0.5 stands in.
        segment_threshold: The text is flagged if ``quality`` lies below it; ``None`` if no
            calibration says so, and then it is flagged if anything in it is to be checked.
        line: Where its row stood in the input, counted from 1; 0 if it came from no file.
        ranking_score: What candidates are sorted by, high is good; as the calibration chose it, if
            they were ranked by ``quality``.
        opening_omission: Probability that something is missing before the first token, in [0, 1],
            if the signal ``omission`` was asked for; that of a token is about the gap after it.
    """

    source: str | None
    hypothesis: str
    tokens: tuple[ScoredToken, ...]
    special_tokens: tuple[ScoredToken, ...]
    signals: tuple[Signal, ...]
    extra: dict[str, Any] | None = None
    errors: tuple[ErrorSpan, ...] | None = None
    tags: WordTags | None = None
    quality: float | None = None
    threshold: float | None = None
    opening_omission: float | None = None
    segment_threshold: float | None = None
    ranking_score: float | None = None
    line: int = field(default=0, compare=False)

    @property
    def score(self) -> float | None:
        """Mean of the main signal over :attr:`text_tokens`, if there are any."""
        return self.aggregate()

    @cached_property
    def text_tokens(self) -> tuple[ScoredToken, ...]:
        """The tokens that carry words: those of placeholders and tags are left out."""
        text, placeholders = self.hypothesis, placeholder_ranges(self.hypothesis)
        if not placeholders:
            return self.tokens
        return tuple(t for t in self.tokens if not is_inside(t.start, t.end, text, placeholders))

    def to_html(self) -> str:
        """The text as HTML: shaded words, those to check underlined."""
        from headwise import scored_html  # by the front door: pages are made further down

        return scored_html(self)

    _repr_html_ = to_html  # Jupyter shows it

    @property
    def flagged(self) -> bool:
        """Whether a person should look at this text."""
        if self.segment_threshold is None or self.quality is None:
            return bool(self.to_check)
        return self.quality < self.segment_threshold

    @cached_property
    def to_check(self) -> tuple[ScoredSpan, ...]:
        """Where a person should look: spans of words past :attr:`threshold`, and gaps.

        A gap, of which only ``omission`` is known, is a span without characters.
        """
        spans = self._low_spans(self.signals[0], self.threshold, level="word")
        if Signal.OMISSION not in self.signals:
            return spans
        limit = gap_threshold(self.threshold, self.signals[0])
        missing = (
            ScoredSpan(start=gap.place, end=gap.place, omission=gap.omission)
            for gap in self.gaps(above=0.0)
            if (level := Signal.OMISSION.confidence(gap.omission)) is not None and level < limit
        )
        return tuple(sorted((*spans, *missing), key=lambda span: (span.start, span.end)))

    def aggregate(
        self,
        how: Aggregation | str = Aggregation.MEAN,
        *,
        signal: Signal | str | None = None,
        special_tokens: bool = False,
    ) -> float | None:
        """One number for the whole hypothesis, from :attr:`text_tokens`.

        Args:
            how: An :class:`~headwise.data.records.signals.Aggregation`; by default the mean.
            signal: Which signal; the main one by default.
            special_tokens: Whether the closing special tokens count too.

        Returns:
            The value, in the signal's own range; ``None`` if no token has one.

        Raises:
            ValueError: If the signal was not computed or does not allow this aggregation.
        """
        chosen = self._signal(signal)
        tokens = self.text_tokens + (self.special_tokens if special_tokens else ())
        return aggregate(values_of(tokens, chosen), how, signal=chosen)

    @cached_property
    def words(self) -> tuple[ScoredSpan, ...]:
        """The words of the hypothesis, each with the worst value among its tokens."""
        return self.words_by(Aggregation.MIN)

    def words_by(self, how: Aggregation | str) -> tuple[ScoredSpan, ...]:
        """The words of the hypothesis, by Unicode word boundaries, punctuation marks included.

        Placeholders and tags are no words.

        Args:
            how: How the values of a word's tokens become the word's value.

        Signals for which ``how`` is not defined are ``None``.
        """
        return tuple(self._span(start, end, how=how) for start, end in word_ranges(self.hypothesis))

    def spans(
        self,
        *,
        below: float | None = None,
        above: float | None = None,
        signal: Signal | str | None = None,
        level: Literal["word", "token"] = "word",
    ) -> tuple[ScoredSpan, ...]:
        """Stretches that a person should look at: neighbouring words or tokens past a threshold.

        Args:
            below: Take what lies below this value. With neither, :attr:`threshold` counts for the
                main signal, else 0.5 on the scale of :meth:`Signal.confidence`; that is said.
            above: Take what lies above this value, for ``error``, ``entropy`` and ``rank``.
            signal: Which signal; the main one by default.
            level: Whether whole words or single tokens are compared with the threshold.

        Returns:
            Spans in order, none touching another; each has the worst value among its tokens.
        """
        chosen = self._signal(signal)
        if below is None and above is None:
            line = self.threshold if chosen is self.signals[0] else None
            if line is None or (line == DEFAULT_THRESHOLD and chosen is not Signal.QUALITY):
                said = f"No calibration draws the line on `{chosen}`: {DEFAULT_THRESHOLD} is taken."
                warnings.warn(f"{said} Give `below` or `above` for another one.", stacklevel=2)
            return self._low_spans(chosen, line, level=level)
        if below is not None and above is not None:
            raise ValueError("Give one of `below` and `above`, not both.")

        def is_past(value: float) -> bool:
            return value < below if below is not None else above is not None and value > above

        pieces: Sequence[ScoredSpan | ScoredToken]
        pieces = self.words if level == "word" else self.text_tokens
        values = ((piece, getattr(piece, chosen)) for piece in pieces)
        past = [(p.start, p.end) for p, value in values if value is not None and is_past(value)]
        return self._joined(past)

    def _low_spans(
        self, signal: Signal, threshold: float | None, *, level: Literal["word", "token"]
    ) -> tuple[ScoredSpan, ...]:
        """Neighbouring words or tokens whose confidence lies below a threshold."""
        limit = DEFAULT_THRESHOLD if threshold is None else threshold
        low = low_tokens(self.text_tokens, signal, limit)
        if low and level == "word":  # a word is as doubtful as its worst token
            words = word_ranges(self.hypothesis)
            low = [(a, b) for a, b in words if any(start < b and end > a for start, end in low)]
        return self._joined(low)

    def _joined(self, ranges: Iterable[Range]) -> tuple[ScoredSpan, ...]:
        joined = joined_ranges(ranges, self.hypothesis)
        return tuple(self._span(start, end, how=Aggregation.MIN) for start, end in joined)

    def gaps(self, above: float = 0.5) -> tuple[ScoredGap, ...]:
        """Places where something seems to be missing, none inside a placeholder or tag.

        Args:
            above: Take gaps whose ``omission`` lies above this value.

        Returns:
            Gaps in order, at most one a place, each with the largest value of those there.

        Raises:
            ValueError: If the signal ``omission`` was not computed.
        """
        chosen = self._signal(Signal.OMISSION)
        places = [*(token.start for token in self.tokens), len(self.hypothesis)]
        closed = placeholder_ranges(self.hypothesis)
        values = [self.opening_omission, *(getattr(token, chosen) for token in self.tokens)]
        found: dict[int, float] = {}
        for place, value in zip(places, values, strict=True):
            if value is not None and value > above and not any(a < place < b for a, b in closed):
                found[place] = max(value, found.get(place, 0.0))
        return tuple(ScoredGap(place, found[place]) for place in sorted(found))

    def tokens_in(self, start: int, end: int) -> tuple[ScoredToken, ...]:
        """The tokens that share a character with ``hypothesis[start:end]``, in order."""
        return tuple(t for t in self.tokens if t.start < end and t.end > start)

    def as_dict(self, level: Level = "sentence") -> dict[str, Any]:
        """A row for JSON: texts, scores, marks, what to check; words or tokens by ``level``."""
        row: dict[str, Any] = {} if self.source is None else {"source": self.source}
        row |= {"hypothesis": self.hypothesis, "score": self.score}
        row["signals"] = {s.value: self.aggregate(signal=s) for s in self.signals}
        if self.errors is not None or self.tags is not None:
            row |= marks_row(self.errors, self.tags)
        of_text = {
            "text_quality": self.quality,
            "ranking_score": self.ranking_score,
            "threshold": self.threshold,
            "segment_threshold": self.segment_threshold,
            "opening_omission": self.opening_omission,
        }
        row |= {name: value for name, value in of_text.items() if value is not None}
        if self.threshold is not None:
            row |= {"flagged": self.flagged, "to_check": [span.row() for span in self.to_check]}
        if level == "word":
            row["words"] = [word.row() for word in self.words]
        if level == "token":
            row["tokens"] = [token.row() for token in self.tokens + self.special_tokens]
        return {**(self.extra or {}), **row}

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> "ScoredHypothesis":
        """Read back a ``row`` that :meth:`as_dict` wrote at token level.

        Raises:
            ValueError: If a signal is unknown, or marks do not fit; ``KeyError`` if tokens lack.
        """
        return cls(**fields_of_row(row))

    def _signal(self, signal: Signal | str | None) -> Signal:
        chosen = self.signals[0] if signal is None else Signal(signal)
        if chosen in self.signals:
            return chosen
        asked = (*self.signals, chosen)
        raise ValueError(f"`{chosen}` was not computed; ask for it with signals={asked}.")

    def _span(self, start: int, end: int, *, how: Aggregation | str) -> ScoredSpan:
        tokens = self.tokens_in(start, end)
        values = {
            signal.value: aggregate(values_of(tokens, signal), how, signal=signal)
            for signal in self.signals
            if Aggregation(how).is_defined_for(signal)
        }
        return ScoredSpan(
            text=self.hypothesis[start:end], start=start, end=end, tokens=tokens, **values
        )
