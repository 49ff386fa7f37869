"""Colours, lines and sizes of the figures, in light for paper and dark for screens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from headwise.report.text import printable

# Two columns of a paper
WIDTH = 7.0
RESOLUTION = 200
SMALL = 7.0
MEDIUM = 8.0

Dashes = Literal["solid"] | tuple[float, tuple[float, ...]]
LegendPlace = Literal["best", "outside upper left", "outside right upper"]

# Five dashes and seven colours: 35 lines before a pair repeats, and neighbours differ in both.
_DASHES: tuple[Dashes, ...] = (
    "solid",
    (0, (5, 1.6)),
    (0, (1.4, 1.2)),
    (0, (6, 1.4, 1.4, 1.4)),
    (0, (3, 1.2, 1.2, 1.2, 1.2, 1.2)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """The colours of a figure.

    Attributes:
        ground: Behind everything.
        ink: Text and axes.
        soft: Secondary text and reference lines.
        line: Grid.
        palette: Lines and points, told apart by colour-blind readers too.
        right: Right items.
        wrong: Wrong items.
        density: From few to many points in crowded scatter plots.
    """

    ground: str
    ink: str
    soft: str
    line: str
    palette: tuple[str, ...]
    right: str
    wrong: str
    density: tuple[str, ...]

    def line_style(self, index: int) -> tuple[str, Dashes]:
        """Colour and dashes of the line with this number."""
        return self.palette[index % len(self.palette)], _DASHES[index % len(_DASHES)]


# Palette: Okabe & Ito 2008, without yellow, which is too weak for a line on white.
LIGHT = Theme(
    ground="#ffffff",
    ink="#1f2328",
    soft="#6b727c",
    line="#e4e1db",
    palette=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#3d434b"),
    right="#56829f",
    wrong="#d55e00",
    density=("#cfe0ee", "#5b9bc8", "#0b4f85", "#08264a"),
)
DARK = Theme(
    ground="#1f2227",
    ink="#e9e7e3",
    soft="#a4a9b2",
    line="#3a3f47",
    palette=("#58a9e0", "#f28a45", "#2fc49a", "#e29ac2", "#f0b83c", "#9ad4f7", "#d5d3cf"),
    right="#7ea6c4",
    wrong="#f28a45",
    density=("#2f3f4f", "#3f78a3", "#8cc3ea", "#f2f8fd"),
)


def new_figure(height: float, theme: Theme) -> Figure:
    """An empty figure, as wide as a page.

    Args:
        height: In inches.
        theme: Its colours.
    """
    return Figure(
        figsize=(WIDTH, height), dpi=RESOLUTION, layout="constrained", facecolor=theme.ground
    )


def style_axes(axes: Axes, theme: Theme, *, grid: bool = True) -> None:
    """Thin axes on two sides, a faint grid, small figures.

    Args:
        axes: What to style.
        theme: The colours.
        grid: Whether to draw a grid.
    """
    axes.set_facecolor(theme.ground)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(theme.soft)
        spine.set_linewidth(0.6)
    axes.tick_params(colors=theme.soft, labelcolor=theme.ink, labelsize=SMALL, width=0.6, length=3)
    if grid:
        axes.grid(color=theme.line, linewidth=0.6)
        axes.set_axisbelow(True)


def label_axes(axes: Axes, theme: Theme, *, x: str | None = None, y: str | None = None) -> None:
    """Name the coordinates; the text is never read as a formula.

    Args:
        axes: What to label.
        theme: The colours.
        x: Name of the first coordinate.
        y: Name of the second.
    """
    if x is not None:
        axes.set_xlabel(drawable(x), fontsize=MEDIUM, color=theme.ink, parse_math=False)
    if y is not None:
        axes.set_ylabel(drawable(y), fontsize=MEDIUM, color=theme.ink, parse_math=False)


def label_figure(drawing: Figure, theme: Theme, *, x: str, y: str) -> None:
    """Name the coordinates that all axes have in common.

    Args:
        drawing: What to label.
        theme: The colours.
        x: Name of the first coordinate.
        y: Name of the second.
    """
    drawing.supxlabel(drawable(x), fontsize=MEDIUM, color=theme.ink, parse_math=False)
    drawing.supylabel(drawable(y), fontsize=MEDIUM, color=theme.ink, parse_math=False)


def title_axes(axes: Axes, theme: Theme, title: str, aside: str = "") -> None:
    """A panel's name at the left, and a remark in small at the right.

    Args:
        axes: What to name.
        theme: The colours.
        title: The name.
        aside: The remark.
    """
    axes.set_title(
        shortened(title),
        loc="left",
        fontsize=MEDIUM,
        fontweight="bold",
        color=theme.ink,
        parse_math=False,
    )
    if aside:
        axes.set_title(aside, loc="right", fontsize=SMALL - 0.5, color=theme.soft, parse_math=False)


def say_below(axes: Axes, theme: Theme, remark: str) -> None:
    """Put a remark in small below the axes, at their right.

    Args:
        axes: What it is about.
        theme: The colours.
        remark: The remark.
    """
    axes.set_xlabel(
        remark, loc="right", fontsize=SMALL - 0.5, color=theme.soft, labelpad=1, parse_math=False
    )


def say_no_data(axes: Axes, theme: Theme) -> None:
    """Write "no data" into the middle of empty axes.

    Args:
        axes: The axes.
        theme: The colours.
    """
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(
        0.5,
        0.5,
        "no data",
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=MEDIUM,
        color=theme.soft,
    )


def legend_of(
    owner: Axes | Figure,
    theme: Theme,
    handles: Sequence[Line2D | Patch],
    labels: Sequence[str],
    *,
    loc: LegendPlace,
    columns: int = 1,
) -> Legend:
    """A frameless legend whose labels are plain text, whatever characters they hold.

    Args:
        owner: Where it belongs.
        theme: The colours.
        handles: What is explained.
        labels: One a handle.
        loc: Where it stands, in matplotlib's words.
        columns: How many columns it has.
    """
    # Labels with a leading underscore would be left out, and dollars read as formulas: both
    # only when the legend is made, so the texts come in afterwards.
    legend: Legend = owner.legend(
        list(handles),
        list(map(str, range(len(labels)))),
        loc=loc,
        ncols=columns,
        frameon=False,
        fontsize=SMALL,
        labelcolor=theme.ink,
        handlelength=2.6,
        columnspacing=1.6,
    )
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_parse_math(False)
        text.set_text(shortened(label))
    return legend


def drawable(text: str) -> str:
    """The text with a mark in place of every character that the font does not have.

    Args:
        text: Any text; line feeds stay.
    """
    fonts = [get_font(findfont(FontProperties(weight=w))) for w in ("normal", "bold")]
    return "".join(
        c if c == "\n" or all(font.get_char_index(ord(c)) for font in fonts) else "\ufffd"
        for c in printable(text)
    )


def shortened(label: str, most: int = 32) -> str:
    """A label on one line that cannot push the axes aside.

    Args:
        label: The label.
        most: Characters that may remain.
    """
    label = drawable(" ".join(label.split()))
    if len(label) <= most:
        return label
    # Names of versions often differ at their ends only.
    half = most // 2
    return f"{label[: most - half - 1]}…{label[-half:]}"
