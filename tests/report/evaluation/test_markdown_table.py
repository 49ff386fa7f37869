import re
from dataclasses import replace

from headwise.report import markdown_report, markdown_table


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def _table_lines(markdown: str) -> list[str]:
    return [line for line in markdown.splitlines() if line.startswith("|")]


def test_the_table(table):
    markdown = markdown_table(table)

    assert [_cells(line) for line in _table_lines(markdown)] == [
        ["signal", "ROC AUC", "ECE ↓"],
        [":--", "--:", "--:"],
        ["sigmoid", "0.870 ≈ [0.860, 0.882]", "*0.050*"],
        ["softmax", "**0.883** [0.873, 0.895]", "*0.000*"],
        ["entropy", "0.700 [0.690, 0.712]", "\N{EN DASH} <sup>a</sup>"],
    ]
    verdict = "By ROC AUC, softmax is best (0.883), but nothing tells it from sigmoid; 1 is "
    assert markdown.startswith(
        f"## Tokens\n\n**{verdict}distinguishably worse.**\n\nA note.\n\n| signal |"
    )
    assert "≈: not distinguishable from the best (paired bootstrap" in markdown
    assert markdown.endswith("<sup>a</sup> It is no probability.\n")


def test_every_row_has_the_columns_of_the_head_whatever_it_is_called(table):
    evil = "a|b\n| c | <b>*x*</b> $1$ `d` [e](f) \\| \x1b[0m"
    rows = (replace(table.rows[0], signal=evil, aggregation="geometric_mean"), *table.rows[1:])
    markdown = markdown_table(replace(table, rows=rows, title=evil, note=f"# {evil}"))

    lines = [_cells(line) for line in _table_lines(markdown)]
    assert {len(line) for line in lines} == {4}
    assert lines[2][1] == "geometric mean"
    assert "<b>" not in markdown
    assert "\x1b" not in markdown
    assert "\n\\# a" in markdown


def test_sorted_rows(table):
    lines = _table_lines(markdown_table(table, sort=True))
    assert [_cells(line)[0] for line in lines[2:]] == ["softmax", "sigmoid", "entropy"]


def test_the_report(evaluation):
    markdown = markdown_report(evaluation, heading=2)

    assert markdown.startswith(
        "## Tiny model\n\nmodel: tiny-en-de · texts: 12,000 · paired: yes · level: 0.05\n\n"
        "- Beware of this.\n- And of that.\n\n### Tokens\n"
    )
    assert markdown.endswith(".\n")
    assert "\n\n\n" not in markdown


def test_nothing_and_no_rows(empty_evaluation, table):
    assert markdown_report(empty_evaluation) == "# Nothing\n"
    assert markdown_table(replace(table, rows=(), comparisons=())) == "## Tokens\n\nA note.\n"
