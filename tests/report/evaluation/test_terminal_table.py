import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from headwise.evaluation.statistics.results import Table
from headwise.report import terminal_report, terminal_table


class _AsciiFile(io.StringIO):
    encoding = "ascii"


def _shown(item: RenderableType, width: int, *, colour: bool = False, ascii_only: bool = False):
    file = _AsciiFile() if ascii_only else io.StringIO()
    console = Console(
        file=file,
        width=width,
        color_system="standard" if colour else None,
        force_terminal=colour,
        legacy_windows=False,
    )
    console.print(item)
    return file.getvalue()


@pytest.fixture
def wide_table(table: Table) -> Table:
    """Ten metrics in 24 rows."""
    (metric, _) = table.rows[0].metrics
    metrics = tuple(replace(metric, name=f"metric{i}") for i in range(10))
    rows = tuple(
        replace(table.rows[0], signal=f"signal{i}", aggregation="geometric_mean", metrics=metrics)
        for i in range(24)
    )
    return replace(table, rows=rows, comparisons=())


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_nothing_is_lost_or_cut_off_at_any_width(wide_table, width):
    shown = _shown(terminal_table(wide_table), width)

    assert max(map(cell_len, shown.splitlines())) <= width
    assert "…" not in shown
    assert shown.count("0.870") == shown.count("[0.860, 0.882]") == 240
    for i in range(10):
        assert f"Metric{i}" in shown


def test_the_name_of_a_signal_is_said_once(table):
    hows = ("mean", "geometric_mean", "min")
    rows = [replace(table.rows[0], aggregation=how) for how in hows]
    rows.append(replace(table.rows[1], signal="model_scores"))
    grouped = replace(table, rows=tuple(rows), comparisons=())

    wide = [line.split()[:2] for line in _shown(terminal_table(grouped), 100).splitlines()[6:10]]
    assert [words[0] for words in wide] == ["sigmoid", "geometric", "min", "model_scores"]
    narrow = _shown(terminal_table(grouped), 50).splitlines()
    assert sum("sigmoid" in line for line in narrow) == 1
    assert [line for line in narrow if line.startswith("   geometric mean  ")]
    assert [line.split()[1] for line in narrow if line.startswith(" model_scores")] == ["0.883"]


def test_intervals_stand_beside_values_where_there_is_room(table):
    assert "0.870≈ [0.860, 0.882]" in _shown(terminal_table(table), 80)
    assert "0.870≈ [0.860, 0.882]" not in _shown(terminal_table(table), 36)


def test_the_best_is_bold_or_has_a_star(table):
    colour, plain = (_shown(terminal_table(table), 80, colour=c) for c in (True, False))

    assert "\x1b[1m0.883\x1b[0m" in colour
    assert "0.883*" not in colour
    assert "Bold: best of its column." in colour
    assert "0.883* [0.873, 0.895]" in plain
    assert "*: best of its column." in plain


def test_undefined_values_have_their_reason(table):
    shown = _shown(terminal_table(table), 80)

    assert "\N{EN DASH} a)" in shown
    assert "a) It is no probability." in shown


def test_ascii_terminals(table):
    shown = _shown(terminal_table(table), 80, ascii_only=True)

    assert shown.isascii()
    assert "0.870~ [0.860, 0.882]" in shown
    assert "~: not distinguishable from the best" in shown
    assert "v: lower is better." in shown


def test_text_does_not_steer_the_terminal(table):
    rows = (replace(table.rows[0], signal="[bold]x[/] \x1b[31m"), *table.rows[1:])
    shown = _shown(terminal_table(replace(table, rows=rows, title="[red]T\x07")), 80)

    assert "[bold]x[/] ␛[31m" in shown
    assert "[red]T␇" in shown


def test_sorted_rows(table):
    lines = _shown(terminal_table(table, sort=True), 80).splitlines()
    found = [line.split()[0] for line in lines if line.strip().startswith(("s", "e"))]
    assert found == ["signal", "softmax", "sigmoid", "entropy"]


def test_the_report(evaluation, empty_evaluation):
    shown = _shown(terminal_report(evaluation), 80)

    assert shown.startswith("Tiny model\nmodel: tiny-en-de · texts: 12,000 · paired: yes")
    assert "Beware of this.\nAnd of that.\n\nTokens\nBy ROC AUC, softmax is best (0.883)" in shown
    assert _shown(terminal_report(empty_evaluation), 80) == "Nothing\n"


def test_no_rows_and_no_metrics(table):
    assert "no rows" in _shown(terminal_table(replace(table, rows=(), comparisons=())), 80)
    bare = replace(table, rows=(replace(table.rows[0], metrics=()),), comparisons=())
    assert "sigmoid" in _shown(terminal_table(bare), 80)
