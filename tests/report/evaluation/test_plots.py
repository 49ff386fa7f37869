import io
import warnings
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from headwise.evaluation.statistics.results import FigureKind, Panel
from headwise.report import draw, figure_png
from headwise.report.plots.axes import spans_decades, to_decades
from headwise.report.plots.style import DARK, LIGHT


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def _panel(label: str = "sigmoid", count: int = 200, *, seed: int = 0, weight: bool = False):
    random = np.random.default_rng(seed)
    x = np.sort(random.random(count))
    y = (random.random(count) < x).astype(np.float64)
    return Panel(label=label, x=x, y=y, weight=random.random(count) * 9 if weight else None)


def _pixels(png: bytes):
    return imread(io.BytesIO(png))[..., :3]


def _texts(drawing):
    found = [t.get_text() for t in drawing.texts]
    for axes in drawing.axes:
        found += [t.get_text() for t in axes.texts]
        found += [axes.get_title(loc=place) for place in ("left", "right")]
        found += [axes.get_xlabel(), axes.get_ylabel()]
    for legend in drawing.legends:
        found += [t.get_text() for t in legend.get_texts()]
    return found


@pytest.mark.parametrize("kind", FigureKind)
def test_pictures_are_wide_opaque_and_the_same_every_time(make_figure, kind):
    figure = make_figure(kind, _panel("a"), _panel("b", seed=1))
    png = figure_png(figure)
    pixels = _pixels(png)

    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert pixels.shape[1] == 1400
    assert png == figure_png(figure)
    assert b"matplotlib" not in png.lower()
    assert png != figure_png(make_figure(kind, _panel("a"), _panel("b", seed=2)))
    # Drawn, and on the theme's own ground
    assert pixels.mean() > 0.85
    assert (pixels < 0.7).any(axis=-1).mean() > 0.004
    assert _pixels(figure_png(figure, theme=DARK)).mean() < 0.3


@pytest.mark.parametrize("kind", FigureKind)
@pytest.mark.parametrize(
    "points",
    [
        [],
        [(0.5, 1.0)],
        [(0.5, 1.0)] * 5,
        [(np.nan, 1.0), (np.inf, 0.0), (0.2, -np.inf)],
        [(np.nan, 1.0), (0.3, 0.0), (0.7, 1.0)],
        [(0.0, 0.0), (1.0, 0.0)],
    ],
)
def test_odd_panels_do_not_fail(make_figure, kind, points):
    x, y = np.array(points, dtype=np.float64).reshape(-1, 2).T
    odd = Panel(label="odd", x=x, y=y)
    weightless = replace(odd, weight=np.zeros(len(x)))
    drawable = np.isfinite(x) & np.isfinite(y)

    assert ("no data" in _texts(draw(make_figure(kind, odd)))) == (not drawable.any())
    for figure in (make_figure(kind, odd), make_figure(kind, weightless, odd, _panel())):
        draw(figure).savefig(io.BytesIO(), dpi=30)


@pytest.mark.parametrize("kind", FigureKind)
def test_a_figure_without_panels_says_so(make_figure, kind):
    assert "no data" in _texts(draw(make_figure(kind)))


@pytest.mark.parametrize("kind", FigureKind)
def test_labels_are_text_and_not_formulas(make_figure, kind):
    labels = ("$x_{$", "_hidden", "a\\frac b \x07", "system " + "x" * 90 + " seed 7", "系统")
    figure = make_figure(kind, *(_panel(label) for label in labels))
    figure = replace(figure, x_label="$\\bad{$", y_label="_y $")
    drawing = draw(figure)
    texts = _texts(drawing)

    drawing.savefig(io.BytesIO(), dpi=30)
    assert {"$x_{$", "_hidden", "a\\frac b \ufffd", "\ufffd\ufffd"} <= set(texts)
    assert any(text.startswith("system x") and text.endswith("x seed 7") for text in texts)


@pytest.mark.parametrize("kind", [FigureKind.SCATTER, FigureKind.HISTOGRAM])
def test_small_multiples_are_four_a_row_and_twelve_in_all(make_figure, kind):
    drawing = draw(make_figure(kind, *(_panel(f"s{i}") for i in range(14))))

    assert len(drawing.axes) == 12
    assert drawing.get_supxlabel().endswith("\nThe first 12 of 14 panels.")
    assert draw(make_figure(kind, _panel())).get_supxlabel() == "score"


@pytest.mark.parametrize(
    ("panels", "columns"), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 3), (6, 3), (7, 4), (8, 4), (9, 3)]
)
def test_few_places_stay_empty(make_figure, panels, columns):
    figure = make_figure(FigureKind.SCATTER, *(_panel(f"s{i}") for i in range(panels)))
    assert draw(figure).axes[0].get_subplotspec().get_gridspec().ncols == columns


def test_panels_of_one_size_say_it_once(make_figure):
    alike = draw(make_figure(FigureKind.SCATTER, _panel("a", 30), _panel("b", 30)))
    assert alike.get_supxlabel() == "score (n = 30 in each panel)"
    assert [axes.get_title(loc="right") for axes in alike.axes] == ["", ""]
    unlike = draw(make_figure(FigureKind.SCATTER, _panel("a", 30), _panel("b", 20)))
    assert unlike.get_supxlabel() == "score"
    assert [axes.get_title(loc="right") for axes in unlike.axes] == ["n = 30", "n = 20"]


def test_the_first_few_items_do_not_stretch_the_risk(make_figure):
    x = np.linspace(0.001, 1, 1000)
    y = np.where(x < 0.01, 50.0, 0.4)
    (axes,) = draw(make_figure(FigureKind.RISK_COVERAGE, Panel(label="s", x=x, y=y))).axes

    low, high = axes.get_ylim()
    assert low < 0 < 0.4 < high < 0.5


def test_crowded_scatters_become_hexagons_on_one_scale(make_figure):
    drawing = draw(make_figure(FigureKind.SCATTER, _panel("a", 6000), _panel("b", 20_000)))

    norms = [axes.collections[0].norm for axes in drawing.axes[:2]]
    assert norms[0] is norms[1]
    for axes, count in zip(drawing.axes, (6000, 20_000), strict=False):
        assert axes.collections[0].get_array().sum() == count
    sparse = draw(make_figure(FigureKind.SCATTER, _panel("a", 5000)))
    assert len(sparse.axes[0].collections[0].get_offsets()) == 5000


def test_histograms_share_bins_and_sum_to_one(make_figure):
    panel = _panel(count=500)
    drawing = draw(make_figure(FigureKind.HISTOGRAM, panel))
    patches = drawing.axes[0].patches

    assert len(patches) == 2
    for patch, wrong in zip(patches, (False, True), strict=True):
        heights = patch.get_xy()[1:-1:2, 1][:30]
        expected, _ = np.histogram(panel.x[(panel.y > 0.5) == wrong], bins=30, range=(0, 1))
        np.testing.assert_allclose(heights, expected / expected.sum(), atol=1e-12)
    wrong = int(panel.y.sum())
    assert _texts(drawing)[-2:] == [f"right ({500 - wrong})", f"wrong ({wrong})"]


def test_counts_that_differ_stand_beside_each_name(make_figure):
    texts = _texts(draw(make_figure(FigureKind.HISTOGRAM, _panel("a", 10), _panel("b", 20))))

    assert texts[-2:] == ["right", "wrong"]
    assert sum(" / " in text for text in texts) == 2


def test_tails_are_put_into_the_outer_bins_and_mentioned(make_figure):
    x = np.concatenate([np.random.default_rng(0).normal(size=2000), [1e6, -1e6]])
    drawing = draw(make_figure(FigureKind.HISTOGRAM, Panel(label="a", x=x, y=np.zeros(len(x)))))

    assert "tails in outer bins" in _texts(drawing)
    assert drawing.axes[0].get_xlim()[1] < 10
    heights = drawing.axes[0].patches[0].get_xy()[1:-1:2, 1][:30]
    assert heights.sum() == pytest.approx(1)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", [FigureKind.SCATTER, FigureKind.HISTOGRAM])
def test_ranks_are_shown_by_order_of_magnitude(make_figure, kind, sign):
    x = sign * np.array([1.0, 1, 2, 3, 10, 150, 12_000])
    axes = draw(make_figure(kind, Panel(label="rank", x=x, y=np.ones(7)))).axes[0]

    assert axes.get_xlim()[1] - axes.get_xlim()[0] < 6
    labels = [label.get_text() for label in axes.get_xticklabels()]
    expected = ["1", "10", "100", "1k", "10k", "100k"]
    assert labels == (
        expected if sign > 0 else [f"\N{MINUS SIGN}{text}" for text in reversed(expected)]
    )


def test_decades_keep_the_order():
    x = np.array([-500.0, -3, -1])
    assert spans_decades(x)
    assert (np.diff(to_decades(x)) > 0).all()
    assert not spans_decades(np.array([0.001, 1.0]))
    assert not spans_decades(np.array([-5.0, 1000.0]))
    assert not spans_decades(np.array([]))


def test_references_are_grey_and_lines_differ_in_colour_and_dashes(make_figure):
    panels = [_panel(f"s{i}") for i in range(12)] + [_panel("random"), _panel("oracle")]
    drawing = draw(make_figure(FigureKind.RISK_COVERAGE, *panels))
    lines = drawing.axes[0].get_lines()

    assert len({(line.get_color(), str(line._dash_pattern)) for line in lines[:12]}) == 12
    assert {line.get_color() for line in lines[12:]} == {LIGHT.soft}
    legend = [text.get_text() for text in drawing.legends[0].get_texts()]
    assert legend == [panel.label for panel in panels]


def test_long_curves_keep_their_ends(make_figure):
    x = np.arange(1, 300_001) / 300_000
    line = draw(make_figure(FigureKind.RISK_COVERAGE, Panel(label="a", x=x, y=x))).axes[0].lines[0]

    assert len(line.get_xdata()) <= 2000
    assert (line.get_xdata()[0], line.get_xdata()[-1]) == (x[0], 1.0)


def test_what_is_saved_is_drawn_in_percent_and_missing_points_are_left_out(make_figure):
    x, y = np.array([0.01, 0.05, 0.3]), np.array([0.0, 0.25, np.nan])
    drawing = draw(make_figure(FigureKind.SAVING, Panel(label="a", x=x, y=y), _panel("b")))
    axes = drawing.axes[0]
    drawing.canvas.draw()
    first = axes.get_lines()[0]
    assert first.get_xdata().tolist() == [0.01, 0.05]
    assert "100%" in [label.get_text() for label in axes.get_yticklabels()]
    assert [text.get_text() for text in drawing.legends[0].get_texts()] == ["a", "b"]


def test_reliability_markers_have_the_area_of_their_bins(make_figure):
    panel = Panel(
        label="a",
        x=np.array([0.9, 0.1]),
        y=np.array([0.8, 0.2]),
        weight=np.array([300.0, 100.0]),
    )
    upper, lower = draw(make_figure(FigureKind.RELIABILITY, panel)).axes

    small, large = upper.collections[0].get_sizes()
    assert large == pytest.approx(3 * small)
    np.testing.assert_allclose(lower.lines[0].get_ydata(), [0.25, 0.75])
    assert any(list(line.get_xdata()) == list(line.get_ydata()) == [0, 1] for line in upper.lines)


def test_coordinates_of_different_lengths_are_refused(make_figure):
    panel = Panel(label="odd", x=np.zeros(3), y=np.zeros(2))
    with pytest.raises(ValueError, match=r"`odd` must be flat and equally long.*\(2,\), \(3,\)"):
        draw(make_figure(FigureKind.SCATTER, panel))
