"""What every view of scored text needs: one scale for all signals, and pieces that can be shown.

Nothing here knows HTML or terminals.
"""

from bisect import bisect_left
from dataclasses import dataclass

import regex

from headwise.data.records.scored import ScoredHypothesis, ScoredSpan, ScoredToken
from headwise.data.records.scored_pieces import gap_threshold
from headwise.data.records.signals import Signal
from headwise.data.records.words import is_inside, placeholder_ranges
from headwise.report.text import printable

# Stands in shown text where something seems to be missing
GAP_MARK = "\N{CARET}"
# Columns of the input that name a row, and the place that `headwise score` hands on
_ROW_NAMES = ("id", "row_id", "segment_id", "seg_id", "globalsegid", "docsegid", "key", "line")
# What a reader sees as one character
_GRAPHEME = regex.compile(r"\X")
_SCALES = {
    Signal.SIGMOID: "the Sigmoid Head's score of a token, from 0 to 1",
    Signal.SOFTMAX: "the language model's probability of a token, from 0 to 1",
    Signal.BOOSTED: "the probability with the mass of all dominant tokens credited, from 0 to 1",
    Signal.LOGPROB: "the log-probability x of a token, shown as the probability exp(x)",
    Signal.ENTROPY: "the entropy x of the next-token distribution in nats, shown as exp(-x)",
    Signal.QUALITY: "the calibrated probability that a token is right, from 0 to 1",
    Signal.RANK: "a token's rank x in the language model's distribution, shown as 1/x",
    Signal.ERROR: "the error head's probability x that a token is wrong, shown as 1 - x",
    Signal.OMISSION: "the error head's probability x that something is missing after a token, "
    "shown as 1 - x",
}


def shows_flag(scored: ScoredHypothesis) -> bool:
    """Whether to say that a text is flagged: without a threshold of texts, its words say it."""
    return scored.segment_threshold is not None and scored.flagged


def row_name(scored: ScoredHypothesis) -> str | None:
    """By what its row is found again: its own name in the input, or else its line."""
    extra = {name.casefold(): value for name, value in (scored.extra or {}).items()}
    for name in _ROW_NAMES:
        if extra.get(name) not in (None, "", 0):
            return f"{'line ' if name == 'line' else ''}{extra[name]}"
    return f"line {scored.line}" if scored.line else None


def no_error_share(scored: ScoredHypothesis) -> str | None:
    """The probability that the whole text has no error, in per cent; ``None`` if it is unknown.

    The score is a mean of its tokens, which says little about that.
    """
    if scored.quality is None:
        return None
    # Never 0% or 100%: a calibrated probability is neither
    if not 0.01 <= scored.quality <= 0.99:
        return "<1%" if scored.quality < 0.5 else ">99%"
    return f"{scored.quality:.0%}"


def scale_description(signal: Signal, made_of: str = "") -> str:
    """What the shades mean for a signal, in words for a reader; ``quality`` is made of others."""
    known = signal is Signal.QUALITY and made_of
    return _SCALES[signal] + (f", made of {made_of}" if known else "")


def check_threshold(threshold: float) -> None:
    """Refuse a threshold that does not lie on the scale of ``Signal.confidence``.

    Raises:
        ValueError: If it is not in [0, 1].
    """
    if not 0.0 <= threshold <= 1.0:
        raise ValueError(
            f"`threshold` must lie in [0, 1], got {threshold}. Other signals than probabilities of "
            "being right are mapped onto that range first: logprob as exp(x), entropy as exp(-x), "
            "rank as 1/x, error and omission as 1 - x."
        )


def words_to_check(
    scored: ScoredHypothesis, threshold: float, signal: Signal
) -> list[tuple[ScoredSpan, float]]:
    """The words whose confidence lies below a threshold, in order, each with its confidence."""
    return [
        (word, level)
        for word in scored.words
        if (level := signal.confidence(getattr(word, signal))) is not None and level < threshold
    ]


@dataclass(frozen=True, slots=True)
class Gap:
    """A place of a hypothesis where something may be missing.

    Attributes:
        place: Number of the character that the mark stands in front of.
        omission: Probability that something is missing, in [0, 1].
        confidence: ``1 - omission``, rounded.
        where: The place in words for a reader: ``before “läuft”``, ``in “Strandkorb”``,
            ``at the end``.
    """

    place: int
    omission: float
    confidence: float
    where: str


def shows_gaps(signals: tuple[Signal, ...]) -> bool:
    """Whether these signals say where something is missing.

    Args:
        signals: Those of the scored text.
    """
    return Signal.OMISSION in signals


def all_gaps(scored: ScoredHypothesis) -> list[Gap]:
    """Every place that has an ``omission``, in order; none if it was not asked for."""
    if not shows_gaps(scored.signals):
        return []
    text = scored.hypothesis
    # In front of the next word, not behind the last one and its space; never inside what a reader
    # sees as one character
    stops = [match.start() for match in _GRAPHEME.finditer(text) if not match[0].isspace()]
    stops.append(len(text))
    highest: dict[int, float] = {}
    for found in scored.gaps(above=0.0):
        place = stops[bisect_left(stops, found.place)]
        highest[place] = max(found.omission, highest.get(place, 0.0))
    gaps, words = [], iter(scored.words)
    word = next(words, None)
    for place, omission in sorted(highest.items()):
        while word is not None and word.end <= place:
            word = next(words, None)
        where = "at the end"
        if word is not None:
            where = f"{'in' if word.start < place else 'before'} “{printable(word.text)}”"
        level = Signal.OMISSION.confidence(omission)
        if level is not None:
            gaps.append(Gap(place, omission, level, where))
    return gaps


def gaps_to_check(scored: ScoredHypothesis, threshold: float, signal: Signal) -> list[Gap]:
    """The places where something seems to be missing, in order."""
    limit = gap_threshold(threshold, signal)
    return [gap for gap in all_gaps(scored) if gap.confidence < limit]


def alternative_label(text: str) -> str:
    """How an alternative token is written where its outer spaces would be lost."""
    return printable(text).strip() or text.replace(" ", "␣").replace("\n", "⏎") or "∅"


@dataclass(frozen=True, slots=True)
class TokenGroup:
    """The smallest stretch of text that can be shaded on its own, and the tokens it consists of.

    Usually one token. Tokens that share a character, as byte-level ones do, or that meet inside
    what a reader sees as one character, stand in one group.
    """

    start: int
    end: int
    tokens: tuple[ScoredToken, ...]
    is_placeholder: bool = False

    def confidence(self, signal: Signal) -> float | None:
        """The confidence of its worst token; ``None`` for placeholders and tags, no words."""
        if self.is_placeholder:
            return None
        levels = [signal.confidence(getattr(token, signal)) for token in self.tokens]
        return min((level for level in levels if level is not None), default=None)


def token_groups(scored: ScoredHypothesis) -> list[TokenGroup]:
    """Cut a hypothesis into groups of tokens, in order, none overlapping another.

    The spaces around a group are not part of it. Characters that belong to no token, and special
    tokens, which cover no text, are in no group.
    """
    text = scored.hypothesis
    placeholders = placeholder_ranges(text)
    boundaries = {match.start() for match in _GRAPHEME.finditer(text)}
    found: list[tuple[int, int, list[ScoredToken]]] = []
    for token in scored.tokens:
        if token.start >= token.end:
            continue
        if found and (token.start < found[-1][1] or token.start not in boundaries):
            start, end, tokens = found[-1]
            found[-1] = (start, max(end, token.end), [*tokens, token])
        else:
            found.append((token.start, token.end, [token]))
    groups = []
    for start, end, tokens in found:
        shown = text[start:end]
        if not shown.isspace():
            start += len(shown) - len(shown.lstrip())
            end -= len(shown) - len(shown.rstrip())
        closed = is_inside(start, end, text, placeholders)
        groups.append(TokenGroup(start, end, tuple(tokens), closed))
    return groups
