"""Confusion matrices: a square a pair of classes, darker where more of the gold class lies."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure as Drawing

from headwise.evaluation.statistics.results import Figure, Floats
from headwise.report.plots.axes import finite_points
from headwise.report.plots.panels import panel_grid
from headwise.report.plots.style import SMALL, Theme, shortened
from headwise.report.text import number

# The strongest colour would drown the numbers on it
_STRONGEST = 0.75
# Weights of red, green and blue in how light a colour looks
_LIGHTNESS = (0.2126, 0.7152, 0.0722)


def draw_confusions(figure: Figure, theme: Theme) -> Drawing:
    """Share of each gold class that gets each answer, a panel a set of answers.

    The coordinates of a panel's points are class indices.
    """
    drawing, grid = panel_grid(figure, theme)
    for axes, panel in zip(grid, figure.panels, strict=False):
        theme.style_axes(axes, grid=False)
        x, y, weight = finite_points(panel)
        theme.title(axes, panel.label, f"n = {number(float(weight.sum()), 0)}")
        if not len(x):
            theme.say_no_data(axes)
            continue
        names = figure.classes or tuple(map(str, range(1 + round(max(x.max(), y.max())))))
        counts = np.zeros((len(names), len(names)))
        inside = (np.minimum(x, y) > -0.5) & (np.maximum(x, y) < len(names) - 0.5)
        answers, gold = (values[inside].round().astype(np.intp) for values in (x, y))
        np.add.at(counts, (gold, answers), weight[inside])
        _heat_map(axes, counts, names, theme)
    return drawing


def _heat_map(axes: Axes, counts: Floats, names: tuple[str, ...], theme: Theme) -> None:
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    colours = LinearSegmentedColormap.from_list("share", (theme.ground, theme.palette[0]))
    axes.imshow(shares, cmap=colours, vmin=0.0, vmax=1.0 / _STRONGEST)
    for (row, column), share in np.ndenumerate(shares):
        below = _lightness(colours(_STRONGEST * share))
        on_ink, on_ground = (abs(_lightness(c) - below) for c in (theme.ink, theme.ground))
        ink = theme.ink if on_ink >= on_ground else theme.ground
        text = f"{share:.0%}\n{number(float(counts[row, column]), 0)}"
        axes.text(column, row, text, ha="center", va="center", fontsize=SMALL, color=ink)
    places, labels = range(len(names)), [shortened(name, 16) for name in names]
    axes.set_xticks(places, labels, parse_math=False)
    axes.set_yticks(places, labels, parse_math=False)
    axes.label_outer(remove_inner_ticks=False)
    axes.tick_params(labelbottom=True, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _lightness(colour: str | tuple[float, float, float, float]) -> float:
    return float(np.dot(to_rgb(colour), _LIGHTNESS))
