from dataclasses import replace

import pytest

from headwise.evaluation.statistics.results import Comparison, SignalRow, Table
from headwise.metrics import Metric, undefined
from headwise.report.evaluation.table_view import row_label, view_of


def _table(*values: float | None, higher_is_better: bool = True) -> Table:
    rows = tuple(
        SignalRow(
            signal=f"s{i}",
            aggregation=None,
            metrics=(
                undefined("m", "No.", count=3, higher_is_better=higher_is_better)
                if value is None
                else Metric(name="m", value=value, count=3, higher_is_better=higher_is_better),
            ),
        )
        for i, value in enumerate(values)
    )
    return Table(name="t", title="T", note="", rows=rows)


def test_cells_of_every_kind(table):
    rows = view_of(table).rows

    assert [cell.value for row in rows for cell in row.cells] == [
        *("0.870", "0.050"),
        *("0.883", "0.000"),
        *("0.700", "\N{EN DASH}"),
    ]
    assert rows[0].cells[0].interval == "[0.860, 0.882]"
    assert rows[0].cells[1].interval is None
    assert [row.cells[0].like_best for row in rows] == [True, False, False]
    assert [row.cells[0].best for row in rows] == [False, True, False]
    assert [row.cells[1].best for row in rows] == [False, True, False]
    assert rows[2].cells[1].reason == "It is no probability."
    assert (
        rows[0].cells[0].contrast
        == "softmax differs by 0.012 [\N{MINUS SIGN}0.004, 0.029], p = 0.200"
    )


def test_the_legend_says_test_intervals_direction_and_counts(table):
    assert view_of(table).legend() == (
        "Bold: best of its column.",
        "≈: not distinguishable from the best (paired bootstrap, 1,000 resamples, "
        "Holm-adjusted, level 0.05).",
        "Not tested: ECE.",
        "↓: lower is better.",
        "Brackets: confidence interval (bootstrap, 1,000 resamples of 50 groups).",
        "Computed from 1,000 items (ROC AUC); 998 to 1,000 items (ECE).",
        "ECE: expected calibration error.",
    )


def test_the_legend_is_silent_about_marks_that_are_not_there():
    assert view_of(_table(0.5)).legend() == ("Computed from 3 items.",)


def test_columns_that_were_tested_in_different_ways_are_told_apart(table):
    other = replace(table.comparisons[0], metric="ece", test="permutation test.")
    legend = view_of(replace(table, comparisons=(*table.comparisons, other))).legend()

    assert legend[1].endswith("level 0.05, for ROC AUC; permutation test, for ECE).")
    assert not any(line.startswith("Not tested") for line in legend)


@pytest.mark.parametrize(
    ("values", "higher", "best"),
    [
        ((0.1, 0.3, 0.2), True, [1]),
        ((0.1, 0.3, 0.2), False, [0]),
        ((0.3, 0.3, 0.2), True, [0, 1]),
        ((0.3, 0.3), True, []),
        ((0.3, None), True, []),
        ((0.3,), True, []),
        ((None, None), True, []),
    ],
)
def test_the_best_without_comparisons(values, higher, best):
    rows = view_of(_table(*values, higher_is_better=higher)).rows
    assert [i for i, row in enumerate(rows) if row.cells[0].best] == best


@pytest.mark.parametrize(("higher", "order"), [(True, "s1 s3 s0 s2"), (False, "s0 s3 s1 s2")])
def test_sorting_puts_the_best_first_and_the_undefined_last(higher, order):
    table = _table(0.1, 0.3, None, 0.2, higher_is_better=higher)

    assert " ".join(row.signal for row in view_of(table, sort=True).rows) == order
    assert " ".join(row.signal for row in view_of(table).rows) == "s0 s1 s2 s3"


def test_equal_reasons_share_a_footnote_and_letters_go_on():
    metrics = tuple(undefined(f"m{i}", f"Reason {i % 28}.", count=0) for i in range(30))
    table = Table(
        name="t",
        title="",
        note="",
        rows=(SignalRow(signal="s", aggregation=None, metrics=metrics),),
    )
    view = view_of(table)

    assert len(view.footnotes) == 28
    assert view.footnotes[0] == ("a", "Reason 0.")
    assert [letter for letter, _ in view.footnotes][-3:] == ["z", "aa", "ab"]
    assert [cell.note for cell in view.rows[0].cells][-2:] == ["a", "b"]


def test_a_metric_that_a_row_lacks_is_undefined(table):
    short = replace(table.rows[0], metrics=table.rows[0].metrics[:1])
    cell = view_of(replace(table, rows=(short, *table.rows[1:]))).rows[0].cells[1]

    assert (cell.value, cell.reason) == ("\N{EN DASH}", "Not measured for this row.")


def test_comparisons_speak_of_signal_and_aggregation():
    rows = tuple(
        SignalRow(signal="s", aggregation=how, metrics=(Metric(name="m", value=value, count=2),))
        for how, value in (("mean", 0.2), ("min", 0.1))
    )
    comparison = Comparison(
        metric="m",
        best="s mean",
        other="s min",
        difference=0.1,
        low=None,
        high=None,
        p_value=0.4,
        test="permutation test",
        distinguishable=False,
    )
    view = view_of(Table(name="t", title="", note="", rows=rows, comparisons=(comparison,)))

    assert view.aggregated
    assert (view.rows[0].cells[0].best, view.rows[1].cells[0].like_best) == (True, True)
    assert view.rows[1].cells[0].contrast == "s mean differs by 0.100, p = 0.400"
    assert [row.continues for row in view.rows] == [False, True]


def test_names_of_aggregations_are_words_everywhere():
    rows = tuple(
        SignalRow(signal="my_s", aggregation=how, metrics=(Metric(name="m", value=value, count=2),))
        for how, value in (("geometric_mean", 0.2), ("min", 0.1))
    )
    table = Table(name="t", title="", note="", rows=rows)

    assert [row.aggregation for row in view_of(table).rows] == ["geometric mean", "min"]
    assert row_label(table, "my_s geometric_mean") == "my_s geometric mean"
    assert row_label(table, "another_one") == "another_one"


def test_rows_of_a_signal_are_together_only_where_they_are_neighbours():
    rows = tuple(
        SignalRow(signal=signal, aggregation=how, metrics=(Metric(name="m", value=value, count=2),))
        for signal, how, value in (("a", "x", 0.1), ("a", "y", 0.3), ("b", "x", 0.2))
    )
    table = Table(name="t", title="", note="", rows=rows)

    assert [row.continues for row in view_of(table).rows] == [False, True, False]
    assert [row.continues for row in view_of(table, sort=True).rows] == [False] * 3


def test_what_was_not_tested_is_said(table):
    view = view_of(replace(table, comparisons=()))
    assert view.legend()[0] == "Whether values differ was not tested."
    assert (
        view.verdict == "By ROC AUC, softmax is best (0.883); whether others differ was not tested."
    )
    assert all(cell.untested for row in view.rows for cell in row.cells if cell.number is not None)
    tested = view_of(table)
    assert [[cell.untested for cell in row.cells[:1]] for row in tested.rows] == [[False]] * 3
    assert tested.rows[0].cells[1].untested  # nobody compares ECE


def test_counts_name_what_they_count():
    metrics = (
        Metric(name="range", value=0.2, count=148, higher_is_better=False),
        Metric(name="span_f1", value=0.2, count=300),
    )
    rows = (SignalRow(signal="s", aggregation=None, metrics=metrics),)
    legend = view_of(Table(name="t", title="", note="", rows=rows)).legend()

    assert "Computed from 148 sources (Range); 300 texts (Span F1)." in legend


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        ("Thresholds for mcc and f1.", "Thresholds for MCC and F1."),
        ("The log_loss is a mean.", "The Log loss is a mean."),
        ("Gold: roc_auc, f1_wrong", "Gold: ROC AUC, F1 wrong"),
        (
            "Gold: z_mean in my_f1.tsv, f1.tsv and x-prr",
            "Gold: z_mean in my_f1.tsv, f1.tsv and x-prr",
        ),
        ("Precision, recall and the range", "Precision, recall and the range"),
    ],
)
def test_notes_call_metrics_what_the_headings_call_them(note, shown):
    metric = Metric(name="range", value=0.2, count=2)
    rows = (SignalRow(signal="s", aggregation=None, metrics=(metric,)),)

    assert view_of(Table(name="t", title="", note=note, rows=rows)).note == shown
