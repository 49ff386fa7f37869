"""The record of a scored hypothesis, and its row of JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.scored_pieces import (
    Alternative,
    ScoredGap,
    ScoredSpan,
    ScoredToken,
    Signals,
)
from headwise.data.records.signals import Aggregation, Signal, aggregate, values_of
from headwise.data.records.word_tags import WordTags, marks_row, read_marks
from headwise.data.records.words import word_ranges

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

# An enumeration is slow to go over, and every token that is read back needs this
_SIGNAL_NAMES = tuple(signal.value for signal in Signal)
_OWN_KEYS = frozenset(
    {"source", "hypothesis", "score", "signals", "annotations", "word_tags", "tokens"}
)
# Keys that are ours only in a row that was scored with `quality`, or the last with `omission`
_OF_TEXT = ("text_quality", "threshold", "opening_omission")


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
        errors: What people marked as wrong in the hypothesis. ``()`` if they found nothing,
            ``None`` if nobody looked.
        tags: What they said of each of its words, if they were asked that way.
        quality: Calibrated probability that the text has no error, in (0, 1), if the signal
            ``quality`` was asked for and the calibration says something about texts. It is written
            as ``text_quality``, since the signal has the same name.
        threshold: Where the calibration draws the line on the ``quality`` of tokens.
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

    @property
    def score(self) -> float | None:
        """Mean of the main signal over the hypothesis tokens, special ones left out."""
        return self.aggregate()

    def aggregate(
        self,
        how: Aggregation | str = Aggregation.MEAN,
        *,
        signal: Signal | str | None = None,
        special_tokens: bool = False,
    ) -> float | None:
        """One number for the whole hypothesis.

        Args:
            how: ``mean``, ``min``, ``product``, ``geometric_mean``, ``median`` or ``noisy_or``.
            signal: Which signal; the main one by default.
            special_tokens: Whether the closing special tokens count too.

        Returns:
            The value, in the signal's own range; ``None`` if no token has one.

        Raises:
            ValueError: If the signal was not computed or does not allow this aggregation.
        """
        chosen = self._signal(signal)
        tokens = self.tokens + (self.special_tokens if special_tokens else ())
        return aggregate(values_of(tokens, chosen), how, signal=chosen)

    @cached_property
    def words(self) -> tuple[ScoredSpan, ...]:
        """The words of the hypothesis, each with the worst value among its tokens."""
        return self.words_by(Aggregation.MIN)

    def words_by(self, how: Aggregation | str) -> tuple[ScoredSpan, ...]:
        """The words of the hypothesis, by Unicode word boundaries, punctuation marks included.

        Args:
            how: How the values of a word's tokens become the word's value.

        Returns:
            Words in order. Signals for which ``how`` is not defined are ``None``.
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
            below: Take what lies below this value; for ``quality``, by default the threshold of
                the calibration.
            above: Take what lies above this value, for ``error``, ``entropy`` and ``rank``.
            signal: Which signal; the main one by default.
            level: Whether whole words or single tokens are compared with the threshold.

        Returns:
            Spans in order, none touching another; each has the worst value among its tokens.

        Raises:
            ValueError: If not exactly one of ``below`` and ``above`` is given.
        """
        chosen = self._signal(signal)
        if below is None and above is None and chosen is Signal.QUALITY:
            below = self.threshold
        if (below is None) == (above is None):
            raise ValueError("Give exactly one of `below` and `above`.")
        pieces: Sequence[ScoredSpan | ScoredToken] = self.words if level == "word" else self.tokens
        ranges: list[list[int]] = []
        for piece in pieces:
            value = getattr(piece, chosen)
            if value is None:
                continue
            if not (value < below if below is not None else value > above):
                continue
            if ranges and not self.hypothesis[ranges[-1][1] : piece.start].strip():
                ranges[-1][1] = max(ranges[-1][1], piece.end)
            else:
                ranges.append([piece.start, piece.end])
        return tuple(self._span(start, end, how=Aggregation.MIN) for start, end in ranges)

    def gaps(self, above: float = 0.5) -> tuple[ScoredGap, ...]:
        """Places where something seems to be missing.

        Args:
            above: Take gaps whose ``omission`` lies above this value.

        Returns:
            Gaps in order, at most one a place, each with the largest value of those there.

        Raises:
            ValueError: If the signal ``omission`` was not computed.
        """
        chosen = self._signal(Signal.OMISSION)
        places = [*(token.start for token in self.tokens), len(self.hypothesis)]
        values = [self.opening_omission, *(getattr(token, chosen) for token in self.tokens)]
        found: dict[int, float] = {}
        for place, value in zip(places, values, strict=True):
            if value is not None and value > above:
                found[place] = max(value, found.get(place, 0.0))
        return tuple(ScoredGap(place, found[place]) for place in sorted(found))

    def tokens_in(self, start: int, end: int) -> tuple[ScoredToken, ...]:
        """The tokens that share a character with ``hypothesis[start:end]``, in order."""
        return tuple(t for t in self.tokens if t.start < end and t.end > start)

    def as_dict(self, level: Level = "sentence") -> dict[str, Any]:
        """A row for JSON: texts, sentence score, signals, marks; words or tokens if asked for."""
        row: dict[str, Any] = {} if self.source is None else {"source": self.source}
        row |= {"hypothesis": self.hypothesis, "score": self.score}
        row["signals"] = {s.value: self.aggregate(signal=s) for s in self.signals}
        if self.errors is not None or self.tags is not None:
            row |= marks_row(self.errors, self.tags)
        of_text = (self.quality, self.threshold, self.opening_omission)
        row |= {
            name: value for name, value in zip(_OF_TEXT, of_text, strict=True) if value is not None
        }
        if level == "word":
            row["words"] = [
                {"text": w.text, "start": w.start, "end": w.end, **w.as_dict()} for w in self.words
            ]
        if level == "token":
            row["tokens"] = [_token_row(token) for token in self.tokens + self.special_tokens]
        return {**(self.extra or {}), **row}

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> "ScoredHypothesis":
        """Read back what :meth:`as_dict` wrote at token level.

        Raises:
            KeyError: If the row holds no tokens, or lacks another field of such rows.
            ValueError: If a signal is unknown, or marks do not fit the hypothesis.
        """
        tokens = [_token(token) for token in row["tokens"]]
        hypothesis = row["hypothesis"]
        calibrated = Signal.QUALITY in row["signals"]
        with_gaps = Signal.OMISSION in row["signals"]
        errors, tags = read_marks(row.get("annotations"), row.get("word_tags"), hypothesis)
        known = _OWN_KEYS | set(_OF_TEXT[:2] if calibrated else ())
        known |= set(_OF_TEXT[2:] if with_gaps else ())
        return cls(
            source=row.get("source"),
            hypothesis=hypothesis,
            tokens=tuple(token for token in tokens if not token.special),
            special_tokens=tuple(token for token in tokens if token.special),
            signals=tuple(Signal(name) for name in row["signals"]),
            extra={key: value for key, value in row.items() if key not in known} or None,
            errors=errors,
            tags=tags,
            quality=row.get("text_quality") if calibrated else None,
            threshold=row.get("threshold") if calibrated else None,
            opening_omission=row.get("opening_omission") if with_gaps else None,
        )

    def _signal(self, signal: Signal | str | None) -> Signal:
        chosen = self.signals[0] if signal is None else Signal(signal)
        if chosen not in self.signals:
            raise ValueError(
                f"`{chosen}` was not computed; ask for it with signals={(*self.signals, chosen)}."
            )
        return chosen

    def _span(self, start: int, end: int, *, how: Aggregation | str) -> ScoredSpan:
        tokens = self.tokens_in(start, end)
        values: dict[str, float | None] = {}
        for signal in self.signals:
            if not Aggregation(how).is_defined_for(signal):
                continue
            values[signal] = aggregate(values_of(tokens, signal), how, signal=signal)
        return ScoredSpan(
            text=self.hypothesis[start:end], start=start, end=end, tokens=tokens, **values
        )


def _token_row(token: ScoredToken) -> dict[str, Any]:
    row = {"text": token.text, "id": token.token_id, "start": token.start, "end": token.end}
    row |= {"special": True} if token.special else {}
    row |= token.as_dict()
    if token.alternatives is not None:
        row["alternatives"] = [[one.text, one.probability] for one in token.alternatives]
    return row


def _token(row: dict[str, Any]) -> ScoredToken:
    alternatives = row.get("alternatives")
    return ScoredToken(
        text=row["text"],
        token_id=row["id"],
        start=row["start"],
        end=row["end"],
        special=row.get("special", False),
        alternatives=None
        if alternatives is None
        else tuple(Alternative(*pair) for pair in alternatives),
        **{name: row[name] for name in _SIGNAL_NAMES if name in row},
    )
