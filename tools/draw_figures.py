"""Draws the figures of the site, for light and for dark pages, from what the bundled model says.

``python tools/draw_figures.py`` writes ``docs/figures/``: ``report``, rows of the demo's report;
``softmax``, what softmax and heads say of words in one place; ``rooms``, which room may use which;
and dark copies of the figures that benchmarks and recipes drew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from headwise import QualityEstimator
from headwise.data.records.scored import ScoredHypothesis
from headwise.report.plots.style import DARK, LIGHT, MEDIUM, SMALL, Theme

# In hundredths of an inch; a phone shows it at half of that
REPORT_WIDTH = 540
FIGURES = Path(__file__).parents[1] / "docs" / "figures"
MARK = {LIGHT: "#a63d00", DARK: "#f2a36b"}
SHADE = {LIGHT: "#f0821e", DARK: "#f0821e"}
# Colours of figures that are drawn elsewhere, on light pages, and their dark kin
RECOLOURED = {
    LIGHT.ground: "none",
    LIGHT.ink: DARK.ink,
    LIGHT.soft: DARK.soft,
    LIGHT.line: DARK.line,
    **dict(zip(LIGHT.palette, DARK.palette, strict=True)),
    "#000000": DARK.ink,
    "#b0b0b0": DARK.line,
    "#cccccc": DARK.line,
    "#6b7280": DARK.soft,
    "#c4641a": DARK.palette[1],
    "#2b6cb0": DARK.palette[0],
}
MEASURED = ("loss-memory", "families-left-out")

SENTENCES = (
    ("A dog runs along the beach.", "Ein Hund läuft am Strand entlang."),
    ("A dog runs along the beach.", "Ein Hund läuft am Bahnhof entlang."),
    ("Two children are playing football in the park.", "Zwei Kinder kaufen im Park Fußball."),
    (
        "A woman in a red jacket is riding a bicycle.",
        "Ein Mann in einer roten Jacke fährt Fahrrad.",
    ),
)


@dataclass(frozen=True)
class Place:
    """A place in a translation and words that may stand there."""

    source: str
    before: str
    after: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]


PLACES = (
    Place(
        "A dog runs on the beach.",
        "Ein Hund",
        "am Strand.",
        ("rennt", "läuft"),
        ("schläft", "sitzt"),
    ),
    Place(
        "A dog runs on the beach.",
        "Ein Hund läuft",
        "Strand.",
        ("am", "über den", "auf dem"),
        ("unter dem", "neben dem"),
    ),
)


def report(theme: Theme, scored: list[ScoredHypothesis]) -> Figure:
    """Rows of the report: score, source, shaded words, those to check."""
    height = 0.78
    figure = Figure(figsize=(REPORT_WIDTH / 100, height * len(scored)), facecolor="none")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, REPORT_WIDTH), ylim=(78 * len(scored), 0))
    axes.axis("off")
    for index, one in enumerate(scored):
        _row(axes, theme, one, top=78 * index)
    return figure


def _row(axes: Axes, theme: Theme, one: ScoredHypothesis, top: float) -> None:
    if top:
        axes.plot([0, REPORT_WIDTH], [top, top], color=theme.line, linewidth=0.8)
    bold: dict[str, Any] = {"fontweight": "bold"}
    _say(axes, 6, top + 27, f"{one.score:.2f}", 13, theme.ink, **bold)
    if one.flagged:
        _say(axes, 6, top + 44, "to check", 8.5, MARK[theme], **bold)
    share = one.quality or 0.0
    shown = ">99%" if share > 0.99 else "<1%" if share < 0.01 else f"{100 * share:.0f}%"
    _say(axes, 6, top + (60 if one.flagged else 45), f"no error {shown}", 8, theme.soft)
    _say(axes, 110, top + 22, one.source or "", 9.5, theme.soft)
    place, end = 110.0, 0
    threshold = one.threshold or 0.5
    for word in one.words:
        place = _say(axes, place, top + 46, one.hypothesis[end : word.start], 13, theme.ink)
        quality = 1.0 if word.quality is None else word.quality
        begin, place = place, _say(axes, place, top + 46, word.text, 13, theme.ink)
        size = (place - begin, 22)
        colour, alpha = SHADE[theme], 0.6 * (1 - quality) ** 1.5
        axes.add_patch(Rectangle((begin, top + 30), *size, color=colour, alpha=alpha, lw=0))
        if quality < threshold:
            steps = max(3, round((place - begin) / 4))
            xs = [begin + (place - begin) * step / steps for step in range(steps + 1)]
            ys = [top + 53 + 2.2 * (step % 2) for step in range(steps + 1)]
            axes.plot(xs, ys, color=MARK[theme], linewidth=1.1)
        end = word.end
    _say(axes, place, top + 46, one.hypothesis[end:], 13, theme.ink)
    place = 110.0
    for span in one.to_check:
        place = _say(axes, place, top + 68, span.text, 8.5, MARK[theme], **bold)
        instead = _instead(one, span.start)
        place = _say(axes, place, top + 68, f" {span.quality:.2f}{instead}   ", 8.5, theme.soft)


def _instead(one: ScoredHypothesis, start: int) -> str:
    """What the language model would have put in the place of a word."""
    token = next(token for token in one.tokens if token.start == start)
    best = (token.alternatives or ())[:1]
    return "".join(f"  softmax: {other.text} {other.probability:.0%}" for other in best)


def _say(axes: Axes, x: float, y: float, text: str, size: float, colour: str, **font: Any) -> float:
    """Write a text, and say where it ends."""
    if not text:
        return x
    # White space at the end has no extent of its own
    drawn = axes.text(x, y, text.rstrip(), fontsize=size, color=colour, **font)
    drawn.set_parse_math(False)
    spaces = len(text) - len(text.rstrip())
    share = drawn.get_window_extent().width / drawn.figure.bbox.width if text.strip() else 0.0
    return x + share * REPORT_WIDTH + spaces * size * 0.42


def softmax(theme: Theme, values: list[list[tuple[str, bool, float, float, float]]]) -> Figure:
    """A panel a place: words, and a bar a signal."""
    figure = Figure(figsize=(7.0, 2.9), layout="constrained", facecolor="none")
    panels = figure.subplots(1, len(PLACES))
    names = ("softmax", "sigmoid", "1 - error")
    colours = (theme.soft, theme.palette[0], theme.palette[1])
    for axes, place, words in zip(panels, PLACES, values, strict=True):
        theme.style_axes(axes)
        axes.set_facecolor("none")
        for index, (name, colour) in enumerate(zip(names, colours, strict=True)):
            places = [number + (index - 1) * 0.26 for number in range(len(words))]
            axes.barh(places, [word[2 + index] for word in words], 0.24, color=colour, label=name)
        labels = [f"{word} {'(right)' if right else '(wrong)'}" for word, right, *_ in words]
        axes.set_yticks(range(len(words)), labels)
        axes.set(xlim=(0, 1.02), ylim=(len(words) - 0.5, -0.5))
        axes.set_title(f"{place.before} …", loc="left", fontsize=MEDIUM, color=theme.ink)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize=SMALL,
        labelcolor=theme.ink,
    )
    return figure


def measured(estimator: QualityEstimator) -> list[list[tuple[str, bool, float, float, float]]]:
    """Word, whether it is right, and what softmax, Sigmoid Head and error head say of it."""
    found = []
    for place in PLACES:
        rows = []
        for word in place.right + place.wrong:
            hypothesis = f"{place.before} {word} {place.after}"
            signals = ("softmax", "sigmoid", "error")
            scored = estimator.score(place.source, hypothesis, signals=signals)
            token = next(t for t in scored.tokens if t.start > len(place.before))
            assert token.softmax is not None
            assert token.sigmoid is not None
            assert token.error is not None
            says = (token.softmax, token.sigmoid, 1 - token.error)
            print(f"{place.before} [{word}]", *(f"{value:.4f}" for value in says))
            rows.append((word, word in place.right, *says))
        found.append(rows)
    return found


# Rooms by the group and the place (column, row) in it, and who uses whom
ROOMS = {
    "functional": (0, 0),
    "metrics": (0, 1),
    "heads": (1, 0),
    "backbones": (1, 1),
    "data": (1, 2),
    "corruption": (2, 0),
    "bundled": (2, 1),
    "features": (2, 2),
    "training": (3, 0),
    "language_modelling": (3, 1),
    "quality": (4, 0),
    "entailment": (4, 1),
    "grounding": (4, 2),
    "cascade": (5, 0),
    "evaluation": (5, 1),
    "report": (5, 2),
    "serving": (6, 0),
    "distributed": (6, 1),
    "cli": (6, 2),
}
GROUPS = ("tensors", "models, texts", "features", "learning", "using", "judging", "outside")


def rooms(theme: Theme) -> Figure:
    """The rooms in columns; each may use those to its left, and those above it."""
    figure = Figure(figsize=(7.0, 1.9), facecolor="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 7), ylim=(3.3, -0.75))
    axes.axis("off")
    font: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": SMALL}
    for column, group in enumerate(GROUPS):
        axes.text(column + 0.5, -0.45, group, color=theme.soft, **font)
    for room, (column, row) in ROOMS.items():
        box = FancyBboxPatch(
            (column + 0.07, row + 0.14),
            *(0.86, 0.7),
            boxstyle="round,pad=0,rounding_size=0.06",
            facecolor="none",
            edgecolor=theme.soft,
            linewidth=0.8,
        )
        axes.add_patch(box)
        name = room.replace("_", "_\n") if len(room) > 12 else room
        axes.text(column + 0.5, row + 0.5, name, color=theme.ink, **font)
    arrow = FancyArrowPatch((6.95, 3.15), (0.05, 3.15), arrowstyle="->", mutation_scale=8)
    arrow.set(color=theme.soft, linewidth=0.8)
    axes.add_patch(arrow)
    return figure


def recoloured(svg: str) -> str:
    """A light figure in the colours of a dark page; nothing else changes."""
    for old, new in RECOLOURED.items():
        svg = svg.replace(f": {old}", f": {new}")
    # What has no colour is black
    return svg.replace("<svg ", f'<svg fill="{DARK.ink}" ', 1)


def save(name: str, drawn: Callable[[Theme], Figure]) -> None:
    """Write a figure for both kinds of pages; the same figure gives the same bytes."""
    for theme, suffix in ((LIGHT, ""), (DARK, "-dark")):
        matplotlib.rcParams["svg.hashsalt"] = name
        drawn(theme).savefig(
            FIGURES / f"{name}{suffix}.svg", transparent=True, metadata={"Date": None}
        )


def main() -> None:
    """Score, draw, save."""
    estimator = QualityEstimator.from_pretrained("tiny-en-de")
    scored = list(estimator.score_many(SENTENCES, signals=("quality", "softmax"), alternatives=2))
    save("report", lambda theme: report(theme, scored))
    values = measured(estimator)
    save("softmax", lambda theme: softmax(theme, values))
    save("rooms", rooms)
    for name in MEASURED:
        light = (FIGURES / f"{name}.svg").read_text("utf-8")
        (FIGURES / f"{name}-dark.svg").write_text(recoloured(light), encoding="utf-8")


if __name__ == "__main__":
    main()
