"""One scored text as a piece of HTML, for notebooks and other pages."""

from html import escape
from itertools import pairwise

from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import DEFAULT_THRESHOLD
from headwise.report.scored_text.display import gaps_to_check, no_error_share
from headwise.report.text import number, printable

# Styles stand in the elements: a notebook keeps no style sheet of ours
_SHADE = "background: rgb(240 130 30 / {:.2f}); padding: 0.1em 0"
_CHECK = "; text-decoration: underline wavy #a63d00 1.5px; text-underline-offset: 0.25em"
_SOFT = "opacity: 0.7"


def scored_html(scored: ScoredHypothesis) -> str:
    """A scored text as one ``div``: score, source, shaded words, those to check underlined.

    What the texts hold is escaped. It needs no style sheet and no script.

    Args:
        scored: The scored text.
    """
    main = scored.signals[0]
    threshold = DEFAULT_THRESHOLD if scored.threshold is None else scored.threshold
    head = [f"{main} <b>{number(scored.score, 2)}</b>"]
    head += [f"{s} {number(scored.aggregate(signal=s), 2)}" for s in scored.signals[1:]]
    if (share := no_error_share(scored)) is not None:
        head.append(f"no error {escape(share)}")
    if scored.flagged:
        head.append('<b style="color: #a63d00">to check</b>')
    lines = [f'<div style="font-size: 0.85em; {_SOFT}">{" · ".join(head)}</div>']
    if scored.source is not None:
        lines.append(f'<div dir="auto" style="{_SOFT}">{escape(printable(scored.source))}</div>')
    lines.append(f'<div dir="auto">{_words(scored, threshold)}</div>')
    return f'<div style="line-height: 1.7; white-space: pre-wrap">{"".join(lines)}</div>'


def _words(scored: ScoredHypothesis, threshold: float) -> str:
    main, text = scored.signals[0], printable(scored.hypothesis)
    words = {word.start: (word.end, main.confidence(getattr(word, main))) for word in scored.words}
    gaps = {gap.place: gap.omission for gap in gaps_to_check(scored, threshold, main)}
    ends = {end for end, _ in words.values()}
    edges = sorted({0, len(text), *words, *ends, *gaps})
    level: float | None = None
    pieces: list[str] = []
    for start, end in pairwise([*edges, len(text)]):
        if start in gaps:
            title = f"Something seems to be missing here: {gaps[start]:.2f}"
            pieces.append(f'<b title="{title}" style="color: #a63d00">\N{CARET}</b>')
        if start in words:
            level = words[start][1]
        elif start in ends:
            level = None
        shown = escape(text[start:end])
        if level is None:
            pieces.append(shown)
            continue
        style = _SHADE.format(0.6 * (1.0 - level) ** 1.5) + (_CHECK if level < threshold else "")
        pieces.append(f'<span title="{main} {level:.2f}" style="{style}">{shown}</span>')
    return "".join(pieces)
