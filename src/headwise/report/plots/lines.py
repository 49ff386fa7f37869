"""One pair of axes, a line a signal: risk over coverage, what a promise saves, reliability."""

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from headwise.evaluation.statistics.results import Figure
from headwise.report.plots.axes import finite_points
from headwise.report.plots.style import Dashes, Theme

# More points than the axes have dots
_MOST_POINTS = 2_000
_REFERENCES: dict[str, Dashes] = {"random": (0, (4, 2)), "oracle": (0, (1, 1.5))}
# Of so few items that a single one makes the line jump
_UNSTEADY = 0.02
_LARGEST_MARKER = 70.0
_SMALLEST_MARKER = 5.0


def draw_risk_coverage(figure: Figure, theme: Theme) -> Drawing:
    """Risk over coverage; panels called "random" and "oracle" are grey lines of reference.

    The axis of the risk is as long as the lines need from a coverage of 2 % on, because the first
    few items can lie anywhere.
    """
    drawing = theme.new_figure(3.1)
    axes = drawing.subplots()
    theme.style_axes(axes)
    theme.label(axes, x=figure.x_label, y=figure.y_label)
    handles: list[Line2D | Patch] = []
    labels = []
    index = 0
    steady: list[float] = []
    for panel in figure.panels:
        x, y, _ = finite_points(panel)
        reference = _REFERENCES.get(panel.label)
        if reference is None:
            (colour, dashes), width, level = theme.line_style(index), 1.4, 2.0
            index += 1
        else:
            colour, dashes, width, level = theme.soft, reference, 1.0, 1.5
        if not len(x):
            continue
        kept = np.unique(np.linspace(0, len(x) - 1, _MOST_POINTS).astype(int))
        steady.extend(y[x >= _UNSTEADY].tolist())
        (line,) = axes.plot(
            x[kept],
            y[kept],
            color=colour,
            linestyle=dashes,
            linewidth=width,
            marker="o" if len(x) == 1 else "",
            markersize=3,
            zorder=level,
        )
        handles.append(line)
        labels.append(panel.label)
    if not handles:
        theme.say_no_data(axes)
        return drawing
    axes.set_xlim(0, 1)
    if steady and max(steady) > 0.0:
        axes.set_ylim(top=1.05 * max(steady))
    axes.set_ylim(bottom=min(-0.03 * axes.get_ylim()[1], min(steady, default=0.0)))
    theme.legend(drawing, handles, labels, loc="outside right upper")
    return drawing


def draw_saving(figure: Figure, theme: Theme) -> Drawing:
    """What is saved over what is promised, in percent, with a dot for each promise."""
    drawing = theme.new_figure(3.1)
    axes = drawing.subplots()
    theme.style_axes(axes)
    theme.label(axes, x=figure.x_label, y=figure.y_label)
    handles: list[Line2D | Patch] = []
    labels = []
    for index, panel in enumerate(figure.panels):
        x, y, _ = finite_points(panel)
        if not len(x):
            continue
        colour, dashes = theme.line_style(index)
        handles += axes.plot(
            x, y, color=colour, linestyle=dashes, linewidth=1.4, marker="o", markersize=3
        )
        labels.append(panel.label)
    if not handles:
        theme.say_no_data(axes)
        return drawing
    axes.set_xlim(left=0)
    axes.set_ylim(-0.03, 1.03)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    theme.legend(drawing, handles, labels, loc="outside right upper")
    return drawing


def draw_reliability(figure: Figure, theme: Theme) -> Drawing:
    """Share of right items over predicted probability, and below it where the items lie.

    The area of a marker says how many of its signal's items fall into the bin.
    """
    drawing = theme.new_figure(4.3)
    upper, lower = drawing.subplots(2, 1, sharex=True, height_ratios=(5, 1))
    for axes in (upper, lower):
        theme.style_axes(axes)
    theme.label(upper, y=figure.y_label)
    theme.label(lower, x=figure.x_label, y="share\nof items")
    handles: list[Line2D | Patch] = []
    labels = []
    for index, panel in enumerate(figure.panels):
        x, y, weight = finite_points(panel)
        order = np.argsort(x, kind="stable")
        x, y, weight = x[order], y[order], weight[order]
        if not len(x) or not weight.sum() > 0:
            continue
        colour, dashes = theme.line_style(index)
        share = weight / weight.sum()
        upper.plot(x, y, color=colour, linestyle=dashes, linewidth=1.2)
        upper.scatter(
            x,
            y,
            s=np.maximum(share / share.max() * _LARGEST_MARKER, _SMALLEST_MARKER).tolist(),
            color=colour,
            edgecolors=theme.ground,
            linewidths=0.5,
            zorder=2.5,
        )
        lower.plot(
            x, share, color=colour, linestyle=dashes, linewidth=1.1, marker=".", markersize=3
        )
        handles.append(Line2D([], [], color=colour, linestyle=dashes, marker="o", markersize=4))
        labels.append(panel.label)
    if not handles:
        theme.say_no_data(upper)
        lower.remove()
        return drawing
    # In front of the grid, behind all lines
    handles += upper.plot(
        [0, 1], [0, 1], color=theme.soft, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1.5
    )
    labels.append("perfectly calibrated")
    upper.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    lower.set_ylim(bottom=0)
    theme.legend(drawing, handles, labels, loc="outside right upper")
    return drawing
