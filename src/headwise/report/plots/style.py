"""Colours, lines and sizes of the figures, in light for paper and dark for screens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from headwise.report.text import printable

# Two columns of a paper
WIDTH = 7.0
RESOLUTION = 200
SMALL, MEDIUM = 7.0, 8.0
_REMARK = SMALL - 0.5

Dashes = Literal["solid"] | tuple[float, tuple[float, ...]]
LegendPlace = Literal["best", "outside upper left", "outside right upper"]

# Five dashes and seven colours: 35 lines before a pair repeats, and neighbours differ in both
_DASHES: tuple[Dashes, ...] = (
    "solid",
    (0, (5, 1.6)),
    (0, (1.4, 1.2)),
    (0, (6, 1.4, 1.4, 1.4)),
    (0, (3, 1.2, 1.2, 1.2, 1.2, 1.2)),
)
# Okabe & Ito 2008, without yellow, which is too weak for a line on white
_OKABE_ITO = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#3d434b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """The colours of a figure and what is drawn in them; without arguments, for white paper.

    No text is read as a formula, whatever characters it holds.

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

    ground: str = "#ffffff"
    ink: str = "#1f2328"
    soft: str = "#6b727c"
    line: str = "#e4e1db"
    palette: tuple[str, ...] = _OKABE_ITO
    right: str = "#56829f"
    wrong: str = "#d55e00"
    density: tuple[str, ...] = ("#cfe0ee", "#5b9bc8", "#0b4f85", "#08264a")

    def line_style(self, index: int) -> tuple[str, Dashes]:
        """Colour and dashes of the line with this number."""
        return self.palette[index % len(self.palette)], _DASHES[index % len(_DASHES)]

    def new_figure(self, height: float) -> Figure:
        """An empty figure, as wide as a page and some inches high."""
        size = (WIDTH, height)
        return Figure(figsize=size, dpi=RESOLUTION, layout="constrained", facecolor=self.ground)

    def style_axes(self, axes: Axes, *, grid: bool = True) -> None:
        """Thin axes on two sides, a faint grid, small numbers."""
        axes.set_facecolor(self.ground)
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(self.soft)
            spine.set_linewidth(0.6)
        axes.tick_params(
            colors=self.soft, labelcolor=self.ink, labelsize=SMALL, width=0.6, length=3
        )
        if grid:
            axes.grid(color=self.line, linewidth=0.6)
            axes.set_axisbelow(True)

    def label(self, owner: Axes | Figure, *, x: str | None = None, y: str | None = None) -> None:
        """Name the coordinates of axes, or those that all axes of a figure have in common."""
        font: dict[str, Any] = {"fontsize": MEDIUM, "color": self.ink, "parse_math": False}
        name_x: Callable[..., Any]
        name_y: Callable[..., Any]
        if isinstance(owner, Figure):
            name_x, name_y = owner.supxlabel, owner.supylabel
        else:
            name_x, name_y = owner.set_xlabel, owner.set_ylabel
        if x is not None:
            name_x(drawable(x), **font)
        if y is not None:
            name_y(drawable(y), **font)

    def title(self, axes: Axes, title: str, aside: str = "") -> None:
        """A panel's name at the left, and a remark in small at the right."""
        shown = shortened(title)
        font = {"fontsize": MEDIUM, "fontweight": "bold", "color": self.ink}
        axes.set_title(shown, font, loc="left", parse_math=False)
        if aside:
            font = {"fontsize": _REMARK, "color": self.soft}
            axes.set_title(aside, font, loc="right", parse_math=False)

    def say_below(self, axes: Axes, remark: str) -> None:
        """Put a remark in small below the axes, at their right."""
        axes.set_xlabel(
            remark, loc="right", fontsize=_REMARK, color=self.soft, labelpad=1, parse_math=False
        )

    def say_no_data(self, axes: Axes) -> None:
        """Write "no data" into the middle of empty axes."""
        axes.set(xticks=[], yticks=[])
        middle: dict[str, Any] = {"ha": "center", "va": "center", "transform": axes.transAxes}
        axes.text(0.5, 0.5, "no data", fontsize=MEDIUM, color=self.soft, **middle)

    def legend(
        self,
        owner: Axes | Figure,
        handles: Sequence[Line2D | Patch],
        labels: Sequence[str],
        *,
        loc: LegendPlace,
        columns: int = 1,
    ) -> None:
        """A frameless legend; where it stands is said in Matplotlib's words."""
        # Labels with a leading underscore would be left out, and dollars read as formulas: both
        # only when the legend is made, so the texts come in afterwards
        legend = owner.legend(
            list(handles),
            list(map(str, range(len(labels)))),
            loc=loc,
            ncols=columns,
            frameon=False,
            fontsize=SMALL,
            labelcolor=self.ink,
            handlelength=2.6,
            columnspacing=1.6,
        )
        for text, label in zip(legend.get_texts(), labels, strict=True):
            text.set_parse_math(False)
            text.set_text(shortened(label))


LIGHT = Theme()
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


def drawable(text: str) -> str:
    """The text with a mark in place of every character that the font does not have."""
    fonts = [get_font(findfont(FontProperties(weight=w))) for w in ("normal", "bold")]
    return "".join(
        c if c == "\n" or all(font.get_char_index(ord(c)) for font in fonts) else "\ufffd"
        for c in printable(text)
    )


def shortened(label: str, most: int = 32) -> str:
    """A label on one line of so many characters that it cannot push the axes aside."""
    label = drawable(" ".join(label.split()))
    if len(label) <= most:
        return label
    # Names of versions often differ at their ends only
    half = most // 2
    return f"{label[: most - half - 1]}…{label[-half:]}"
