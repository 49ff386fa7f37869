"""Small multiples: a panel a signal, at most four in a row and twelve in all."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm, to_rgb
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from headwise.evaluation.statistics.results import Figure, Floats
from headwise.report.plots.axes import finite_points, label_decades, spans_decades, to_decades
from headwise.report.plots.style import SMALL, WIDTH, Theme, shortened
from headwise.report.text import number

_COLUMNS = (3, 4)
_MOST_PANELS = 12
_PANEL_HEIGHT = 1.95
# Above this number of points single ones can no longer be told apart.
_CROWDED = 5_000
_HEXAGONS = 36
_BINS = 30
# Long tails, as ranks have them, would press everything else into one bin.
_TAILS = (0.005, 0.995)
# The strongest colour would drown the numbers on it
_STRONGEST = 0.75
# Weights of red, green and blue in how light a colour looks
_LIGHTNESS = (0.2126, 0.7152, 0.0722)


def draw_scatters(figure: Figure, theme: Theme) -> Drawing:
    """Score against gold, a panel a signal: points, or hexagons where there are many."""
    cleaned = [(panel, finite_points(panel)) for panel in figure.panels[:_MOST_PANELS]]
    sizes = [len(x) for _, (x, _, _) in cleaned]
    alike = len(set(sizes)) == 1 and len(sizes) > 1
    size_of_all = f" (n = {sizes[0]:,} in each panel)" if alike else ""
    drawing, grid = _panel_grid(figure, theme, remark=size_of_all)
    heights = _range(np.concatenate([y for _, (_, y, _) in cleaned] or [np.empty(0)]))
    crowds: list[PolyCollection] = []
    colours = LinearSegmentedColormap.from_list("density", theme.density)
    for axes, (panel, (x, y, _)) in zip(grid, cleaned, strict=False):
        theme.style_axes(axes)
        theme.title(axes, panel.label, "" if alike else f"n = {len(x):,}")
        if not len(x):
            theme.say_no_data(axes)
            continue
        if spans_decades(x):
            x = to_decades(x)
            label_decades(axes, x)
        axes.set_xlim(*_range(x))
        axes.set_ylim(*heights)
        # The scale of the gold is the same in all panels.
        axes.label_outer(remove_inner_ticks=False)
        axes.tick_params(labelbottom=True)
        if len(x) > _CROWDED:
            extent = (*_range(x), *heights)
            size = (_HEXAGONS, round(_HEXAGONS * 0.5))
            crowds.append(
                axes.hexbin(
                    x, y, gridsize=size, extent=extent, mincnt=1, cmap=colours, linewidths=0
                )
            )
        else:
            # The more points, the fainter each, so that the dense places stand out.
            faint = min(0.75, max(0.12, 8 / math.sqrt(len(x))))
            axes.scatter(x, y, s=7, color=theme.palette[0], alpha=faint, linewidths=0)
    if crowds:
        most = max(float(np.max(np.asarray(crowd.get_array()))) for crowd in crowds)
        shared = LogNorm(1, max(most, 2.0))
        for crowd in crowds:
            crowd.set_norm(shared)
        bar = drawing.colorbar(
            ScalarMappable(shared, colours), ax=list(drawing.axes), aspect=32, pad=0.015, shrink=0.9
        )
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=SMALL, colors=theme.soft, labelcolor=theme.ink, which="both")
        theme.label(bar.ax, y="items")
    return drawing


def draw_histograms(figure: Figure, theme: Theme) -> Drawing:
    """Scores of right and of wrong items, a panel a signal, each as shares of its own total."""
    cleaned = [(panel, finite_points(panel)) for panel in figure.panels[:_MOST_PANELS]]
    counts = [_class_counts(y, weight) for _, (_, y, weight) in cleaned]
    alike = len(set(counts)) == 1
    drawing, grid = _panel_grid(figure, theme)
    for axes, (panel, (x, y, weight)), (right, wrong) in zip(grid, cleaned, counts, strict=False):
        theme.style_axes(axes)
        if not len(x):
            theme.title(axes, panel.label)
            theme.say_no_data(axes)
            continue
        edges, cut = _bin_edges(x)
        theme.title(axes, panel.label, "" if alike else f"{right:,} / {wrong:,}")
        if cut:
            theme.say_below(axes, "tails in outer bins")
        if spans_decades(x):
            x, edges = to_decades(x), to_decades(edges)
            label_decades(axes, x)
        x = np.clip(x, edges[0], edges[-1])
        for chosen, colour in ((y <= 0.5, theme.right), (y > 0.5, theme.wrong)):
            total = weight[chosen].sum()
            if total > 0:
                axes.hist(
                    x[chosen],
                    bins=edges.tolist(),
                    weights=weight[chosen] / total,
                    histtype="stepfilled",
                    facecolor=(colour, 0.35),
                    edgecolor=colour,
                    linewidth=1.0,
                )
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(bottom=0)
    if grid:
        handles = [Patch(facecolor=(c, 0.35), edgecolor=c) for c in (theme.right, theme.wrong)]
        names = [f"{n} ({c:,})" for n, c in zip(("right", "wrong"), counts[0], strict=True)]
        labels = names if alike else ["right", "wrong"]
        theme.legend(drawing, handles, labels, loc="outside upper left", columns=2)
    return drawing


def draw_confusions(figure: Figure, theme: Theme) -> Drawing:
    """Share of each gold class that gets each answer, a panel a set of answers.

    The coordinates of a panel's points are class indices.
    """
    drawing, grid = _panel_grid(figure, theme)
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


def _panel_grid(figure: Figure, theme: Theme, *, remark: str = "") -> tuple[Drawing, list[Axes]]:
    """Axes for the panels, row by row, and what they have in common beside them.

    The remark stands behind the name of the first coordinate.
    """
    shown = min(len(figure.panels), _MOST_PANELS)
    columns = _columns_for(shown)
    rows = max(math.ceil(shown / columns), 1)
    height = rows * (_PANEL_HEIGHT if columns >= _COLUMNS[0] else 2.6) + 0.45
    drawing = theme.new_figure(min(height, WIDTH * 1.35))
    grid = [axes for row in drawing.subplots(rows, columns, squeeze=False) for axes in row]
    for axes in grid[shown:]:
        if shown:
            axes.remove()
        else:
            theme.style_axes(axes)
            theme.say_no_data(axes)
    left_out = len(figure.panels) - shown
    if left_out:
        remark += f"\nThe first {shown} of {len(figure.panels)} panels."
    theme.label(drawing, x=figure.x_label + remark, y=figure.y_label)
    for axes in grid[:shown]:
        # Narrow panels have no room for more labels.
        most = 4 if columns == _COLUMNS[1] else 5
        axes.xaxis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 5, 10]))
    return drawing, grid[:shown]


def _columns_for(panels: int) -> int:
    """The columns that leave the fewest places empty, then those that give the fewest rows."""
    if panels <= _COLUMNS[0]:
        return max(panels, 1)
    return min(_COLUMNS, key=lambda columns: (-panels % columns, -columns))


def _range(values: Floats) -> tuple[float, float]:
    """Ends of an axis: all values and a little room, also around a single one."""
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    room = 0.04 * (high - low) or 0.5 * max(abs(low), 1.0)
    return low - room, high + room


def _bin_edges(x: Floats) -> tuple[Floats, bool]:
    """Edges of the bins, and whether some values lie outside and go into the outer ones."""
    low, high = float(x.min()), float(x.max())
    if low >= 0.0 and high <= 1.0:
        return np.linspace(0.0, 1.0, _BINS + 1), False
    whole = bool(np.all(x == np.round(x)))
    if spans_decades(x):
        sizes = np.geomspace(min(abs(low), abs(high)), max(abs(low), abs(high)) + whole, _BINS + 1)
        # Between whole numbers there is nothing to count.
        sizes = np.unique(np.round(sizes)) - 0.5 if whole else sizes
        return (sizes if low > 0 else -sizes[::-1]), False
    if whole and 0 < high - low < _BINS:
        return np.arange(low - 0.5, high + 1.0), False
    inner_low, inner_high = (float(q) for q in np.quantile(x, _TAILS))
    cut = inner_high > inner_low and high - low > 2 * (inner_high - inner_low)
    if cut:
        low, high = inner_low, inner_high
    if low == high:
        low, high = _range(x)
    return np.linspace(low, high, _BINS + 1), cut


def _class_counts(y: Floats, weight: Floats) -> tuple[int, int]:
    wrong = y > 0.5
    return round(float(weight[~wrong].sum())), round(float(weight[wrong].sum()))
