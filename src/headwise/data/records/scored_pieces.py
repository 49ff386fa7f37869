"""Pieces of a scored hypothesis: tokens, words, spans, gaps, and which are to be checked."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from headwise.data.records.error_spans import Range
from headwise.data.records.signals import DEFAULT_THRESHOLD, Signal

# An enumeration is slow to go over, and every token that is read back needs this
_SIGNAL_NAMES = tuple(signal.value for signal in Signal)


@dataclass(frozen=True, slots=True, repr=False)
class Signals:
    """The values of the signals that were asked for; the others are ``None``.

    See :class:`~headwise.data.records.signals.Signal` for meaning and range of each.

    Attributes:
        sigmoid: The Sigmoid Head's score, in (0, 1).
        softmax: The language model's probability, in [0, 1].
        logprob: Its natural logarithm, at most 0.
        entropy: Of the distribution over the next token, in nats, at least 0; low is good.
        boosted: The probability with the mass of all dominant tokens, in [0, 1].
        rank: Place in the distribution, from 1; low is good.
        quality: Calibrated probability that it is right, in [0, 1].
        error: Probability that it is wrong, in (0, 1); low is good.
        omission: Probability that something is missing right behind it, in (0, 1); low is good.
    """

    sigmoid: float | None = None
    softmax: float | None = None
    logprob: float | None = None
    entropy: float | None = None
    boosted: float | None = None
    rank: float | None = None
    quality: float | None = None
    error: float | None = None
    omission: float | None = None

    def __repr__(self) -> str:
        # Text and place first, and only the signals that were asked for
        own = [f.name for f in fields(self) if f.name not in set(Signal)]
        known = [*own, *(name for name in self.as_dict())]
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in known if name != "tokens")
        return f"{type(self).__name__}({shown})"

    def as_dict(self) -> dict[str, float]:
        """The signals that were asked for, by name."""
        return {
            signal.value: value for signal in Signal if (value := getattr(self, signal)) is not None
        }


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that the language model would have put in the same place.

    Attributes:
        text: What the token writes.
        probability: Its softmax probability in this place, in [0, 1].
    """

    text: str
    probability: float


@dataclass(frozen=True, slots=True, repr=False)
class ScoredToken(Signals):
    """One token of a hypothesis.

    Attributes:
        text: The characters of the hypothesis that the token writes: ``hypothesis[start:end]``.
            Of tokens that hold some bytes of a character each, all cover that whole character,
            and the last one has its text. For a special token, its name.
        token_id: The token's id in the backbone's vocabulary.
        start: First character in the hypothesis, counted in Unicode code points from 0.
        end: One past the last character. Equal to ``start`` for special tokens.
        special: Whether it closes the sequence instead of carrying text.
        alternatives: The language model's most probable tokens in this place, best first, if
            they were asked for.
    """

    text: str = ""
    token_id: int = 0
    start: int = 0
    end: int = 0
    special: bool = False
    alternatives: tuple[Alternative, ...] | None = None

    @property
    def id(self) -> int:
        """The same as ``token_id``: what rows of JSON call it."""
        return self.token_id

    def row(self) -> dict[str, Any]:
        """The token for JSON."""
        row: dict[str, Any] = {
            "text": self.text,
            "id": self.token_id,
            "start": self.start,
            "end": self.end,
        }
        row |= {"special": True} if self.special else {}
        row |= self.as_dict()
        if self.alternatives is not None:
            row["alternatives"] = [[one.text, one.probability] for one in self.alternatives]
        return row

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> "ScoredToken":
        """Read back what :meth:`row` wrote; ``token_id`` is understood as well as ``id``.

        Raises:
            KeyError: If a field is missing.
        """
        alternatives = row.get("alternatives")
        return cls(
            text=row["text"],
            token_id=row["id"] if "id" in row else row["token_id"],
            start=row["start"],
            end=row["end"],
            special=row.get("special", False),
            alternatives=None
            if alternatives is None
            else tuple(
                # Tables have structs, JSON has pairs
                Alternative(**one) if isinstance(one, dict) else Alternative(*one)
                for one in alternatives
            ),
            **{name: row[name] for name in _SIGNAL_NAMES if name in row},
        )


@dataclass(frozen=True, slots=True, repr=False)
class ScoredSpan(Signals):
    """Some neighbouring characters of a hypothesis: a word, or a span to check.

    Attributes:
        text: ``hypothesis[start:end]``.
        start: First character in the hypothesis.
        end: One past the last character.
        tokens: The tokens that overlap these characters.
    """

    text: str = ""
    start: int = 0
    end: int = 0
    tokens: tuple[ScoredToken, ...] = ()

    def row(self) -> dict[str, Any]:
        """The span for JSON, without its tokens."""
        return {"text": self.text, "start": self.start, "end": self.end, **self.as_dict()}


@dataclass(frozen=True, slots=True)
class ScoredGap:
    """A place of a hypothesis where something seems to be missing.

    Attributes:
        place: The character that follows the gap; the length of the hypothesis at its end.
        omission: Probability that something is missing there, in [0, 1].
    """

    place: int
    omission: float


def low_tokens(tokens: Iterable[ScoredToken], signal: Signal, threshold: float) -> list[Range]:
    """The places of the tokens whose confidence lies below a threshold, in order."""
    return [
        (token.start, token.end)
        for token in tokens
        if (value := signal.confidence(getattr(token, signal))) is not None and value < threshold
    ]


def joined_ranges(ranges: Iterable[Range], text: str) -> list[Range]:
    """Ranges in order, those joined that overlap or have nothing but space between them."""
    joined: list[Range] = []
    for start, end in sorted(ranges):
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def gap_threshold(threshold: float | None, signal: Signal) -> float:
    """The confidence below which a gap is to be checked.

    A threshold on words holds for gaps too if the main signal is ``error`` or ``omission``; of
    other signals it says nothing about gaps, and 0.5 takes its place.
    """
    if threshold is None or not signal.needs_error_head:
        return DEFAULT_THRESHOLD
    return threshold
