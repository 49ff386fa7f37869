"""A text cut into pieces: words shaded by confidence, and what the gold calls wrong."""

from dataclasses import dataclass
from itertools import pairwise

from headwise.evaluation.statistics.results import Disagreement
from headwise.report.scored_text.display import confidence
from headwise.report.text import printable

# Steps of the shades; the page's style has a class for each.
STEPS = 10


@dataclass(frozen=True, slots=True)
class Piece:
    """Neighbouring characters that look alike.

    Attributes:
        text: The characters, control characters made visible.
        doubt: Step of the shade from 0, none, to 10; ``None`` outside words or without a signal.
        level: Confidence of the word as text; ``None`` where ``doubt`` is.
        marked: Whether the gold calls it wrong.
    """

    text: str
    doubt: int | None
    level: str | None
    marked: bool


def shaded_pieces(disagreement: Disagreement) -> tuple[Piece, ...]:
    """Cut the text of a disagreement so that each piece has one shade and one mark.

    Args:
        disagreement: A text, and the signal whose confidence shades its words.

    Returns:
        Pieces in order; their texts together are the printable text.
    """
    scored, signal = disagreement.scored, disagreement.signal
    text = printable(scored.hypothesis)
    words: list[tuple[int, int, float | None]] = []
    if signal is not None and signal in scored.signals:
        words = [(w.start, w.end, confidence(getattr(w, signal), signal)) for w in scored.words]
    marks = [(max(start, 0), min(end, len(text))) for start, end in disagreement.marks]
    marks = [(start, end) for start, end in marks if start < end]
    ranges = [(0, len(text)), *((start, end) for start, end, _ in words), *marks]
    edges = sorted({edge for both in ranges for edge in both})
    pieces = []
    for start, end in pairwise(edges):
        level = next((lv for first, last, lv in words if first <= start < last), None)
        pieces.append(
            Piece(
                text=text[start:end],
                # The curve keeps the many words without doubt quiet.
                doubt=None if level is None else round(STEPS * (1 - level) ** 1.5),
                level=None if level is None else f"{level:.2f}",
                marked=any(first <= start < last for first, last in marks),
            )
        )
    return tuple(pieces)
