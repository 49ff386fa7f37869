"""The figures of an evaluation, drawn with matplotlib's objects and no global state."""

import io

from matplotlib.figure import Figure as Drawing

from headwise.evaluation.statistics.results import Figure, FigureKind
from headwise.report.plots.lines import draw_reliability, draw_risk_coverage, draw_saving
from headwise.report.plots.panels import draw_confusions, draw_histograms, draw_scatters
from headwise.report.plots.style import LIGHT, RESOLUTION, Theme

_DRAWN_BY = {
    FigureKind.SCATTER: draw_scatters,
    FigureKind.HISTOGRAM: draw_histograms,
    FigureKind.RISK_COVERAGE: draw_risk_coverage,
    FigureKind.RELIABILITY: draw_reliability,
    FigureKind.SAVING: draw_saving,
    FigureKind.CONFUSION: draw_confusions,
}


def draw(figure: Figure, *, theme: Theme = LIGHT) -> Drawing:
    """Draw a figure, as wide as a page of a paper, without its title and caption.

    Points that are not finite are left out; a panel without points says so.

    Args:
        figure: Panels of points, with their axes.
        theme: Colours of a light or a dark page.

    Raises:
        ValueError: If the coordinates or weights of a panel differ in number.
    """
    for panel in figure.panels:
        sizes = {panel.x.shape, panel.y.shape}
        sizes |= set() if panel.weight is None else {panel.weight.shape}
        if len(sizes) > 1 or panel.x.ndim != 1:
            raise ValueError(
                f"`x`, `y` and `weight` of panel `{panel.label}` must be flat and equally long, "
                f"got shapes {sorted(sizes)}."
            )
    return _DRAWN_BY[figure.kind](figure, theme)


def figure_png(figure: Figure, *, theme: Theme = LIGHT) -> bytes:
    """A figure as a PNG file, 200 dots per inch; the same figure gives the same bytes.

    Args:
        figure: Panels of points, with their axes.
        theme: Colours of a light or a dark page.
    """
    out = io.BytesIO()
    # The name of the software would make the bytes depend on its version.
    draw(figure, theme=theme).savefig(
        out, format="png", dpi=RESOLUTION, metadata={"Software": None}
    )
    return out.getvalue()
