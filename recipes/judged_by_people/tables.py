"""Print docs/judged-by-people.md from what `headwise evaluate --json` wrote."""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ASSESSED = ("et-en-test", "ru-en-test", "en-zh-test", "en-de-test")
SYSTEMS = ("mqm-en-de", "mqm-zh-en", "esa-en-cs")
TAGGED = (*ASSESSED, "hjqe-en-de-test")


@dataclass(frozen=True)
class Row:
    """A line of a table: a signal under an aggregation, of some heads."""

    signal: str
    aggregation: str | None = "mean"
    folder: str = "scored"

    @property
    def name(self) -> str:
        labelled = ", 500 labels" if self.folder != "scored" else ""
        how = "" if self.aggregation is None else f" {self.aggregation.replace('_', ' ')}"
        return f"`{self.signal.removeprefix('-')}`{labelled}{how}"


TEXTS = (
    Row("softmax"),
    Row("logprob"),
    Row("logprob", "root_length"),
    Row("-entropy"),
    Row("boosted"),
    Row("boosted", "root_length"),
    Row("-rank"),
    Row("length", None),
    Row("sigmoid"),
    Row("sigmoid", "root_length"),
    Row("error"),
    Row("error", "root_length"),
    Row("quality", "of the text"),
    Row("quality", "for ranking"),
)
_OF_TOKENS = ("softmax", "-entropy", "boosted", "-rank", "length", "sigmoid", "error", "quality")
TOKENS = (*(Row(name, None) for name in _OF_TOKENS), Row("error", None, "scored-labelled"))


@dataclass(frozen=True)
class Tables:
    """All evaluations of a folder."""

    folder: Path

    @cache  # noqa: B019 - lives as long as the program
    def table(self, folder: str, name: str, question: str, table: str) -> dict[str, Any]:
        path = self.folder / folder / f"{name}.{question}.json"
        if folder != "scored" and not path.exists():
            return {"rows": []}  # those heads scored few sets
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["tables"][table]
        return found

    def metric(self, row: Row, name: str, question: str, table: str, metric: str) -> Any:
        """A value with its interval, or `None` where there is no such row or metric."""
        found = self.metrics(row, name, question, table).get(metric)
        return found if found and "value" in found else None  # what is undefined has none

    def metrics(self, row: Row, name: str, question: str, table: str) -> dict[str, Any]:
        """All metrics of a row by name; none where there is no such row."""
        for one in self.table(row.folder, name, question, table)["rows"]:
            if (one["signal"], one["aggregation"]) == (row.signal, row.aggregation):
                found: dict[str, Any] = one["metrics"]
                return found
        return {}

    @staticmethod
    def _best(column: Sequence[float | None], cells: Sequence[Any]) -> float:
        """The best value of a column, high or low as its metric says; means are the better high."""
        present = [value for value in column if value is not None]
        lower = any(cell is not None and cell["higher_is_better"] is False for cell in cells)
        return min(present) if lower else max(present)

    def lines(
        self,
        rows: Sequence[Row],
        columns: Sequence[tuple[str, str]],
        question: str,
        table: str,
        *,
        intervals: bool = True,
        mean: bool = False,
    ) -> Iterator[str]:
        """A Markdown table with a column a set and metric; the best of each is bold."""
        heads = [
            f"{name.removesuffix('-test')} {metric.replace('_', ' ')}" for name, metric in columns
        ]
        heads += ["mean"] * mean
        yield f"| signal | {' | '.join(heads)} |"
        yield "| --- " * (len(heads) + 1) + "|"
        found = {
            row: [self.metric(row, name, question, table, metric) for name, metric in columns]
            for row in rows
        }
        found = {row: cells for row, cells in found.items() if any(cells)}
        values = {
            row: [None if c is None else c["value"] for c in cells] for row, cells in found.items()
        }
        if mean:
            for cells in values.values():
                present = [value for value in cells if value is not None]
                cells.append(sum(present) / len(present) if len(present) == len(cells) else None)
        best = [
            self._best(column, [cells[i] for cells in found.values() if i < len(columns)])
            for i, column in enumerate(zip(*values.values(), strict=True))
        ]
        for row, cells in values.items():
            written = []
            for place, value in enumerate(cells):
                if value is None:
                    written.append("")
                    continue
                text = (
                    f"**{value:.3f}**"
                    if len(values) > 1 and value == best[place]
                    else f"{value:.3f}"
                )
                cell = found[row][place] if place < len(found[row]) else None
                if intervals and cell is not None and cell.get("low") is not None:
                    text += f" [{cell['low']:.3f}, {cell['high']:.3f}]"
                written.append(text.replace("-", "\N{MINUS SIGN}"))
            yield f"| {row.name} | {' | '.join(written)} |"

    def by_length(self, row: Row, names: Sequence[str]) -> Iterator[str]:
        """A table with a line a set: Spearman in each quarter of its texts by length."""
        yield "| set | shortest quarter | | | longest quarter |"
        yield "| --- | --- | --- | --- | --- |"
        for name in names:
            cells = [
                f"{length} tokens: {cell['value']:.3f} [{cell['low']:.3f}, {cell['high']:.3f}]"
                for length, cell in self.metrics(row, name, "texts", "slices").items()
            ]
            yield f"| {name.removesuffix('-test')} | {' | '.join(cells)} |".replace(
                "-0.", "\N{MINUS SIGN}0."
            )


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("evaluations", type=Path)
    tables = Tables(parser.parse_args().evaluations)

    print("# Judged by people: all tables\n")
    print(
        "Written by `recipes/judged_by_people/results.sh`; [Results](results.md#judged-by-people) "
        "says what they mean. Brackets: 95 % intervals over sources; bold: the best of a column."
    )

    def show(title: str, *arguments: Any, **options: Any) -> None:
        print(f"\n## {title}\n")
        for line in tables.lines(*arguments, **options):
            print(line)

    of_tests = {
        metric: [(name, metric) for name in ASSESSED]
        for metric in ("spearman", "pearson", "roc_auc", "average_precision", "mcc")
    }
    for metric in ("spearman", "pearson"):
        show(f"Assessments, {metric}", TEXTS, of_tests[metric], "texts", "correlation", mean=True)
    print("\n## Assessments by length, spearman of `quality` of the text\n")
    print(*tables.by_length(Row("quality", "of the text"), ASSESSED), sep="\n")
    for metric in ("acc_eq", "spearman", "pearson"):
        columns = [(name, metric) for name in SYSTEMS]
        show(f"Many systems, {metric}", TEXTS, columns, "texts", "correlation")
    for metric in ("roc_auc", "average_precision", "mcc"):
        columns = [(name, metric) for name in TAGGED]
        show(f"Word tags, {metric}", TOKENS, columns, "tokens", "tokens")
        columns = [(name, metric) for name in SYSTEMS]
        show(f"Marked spans, {metric}", TOKENS, columns, "tokens", "tokens")
    columns = [(name, metric) for name in SYSTEMS for metric in ("system_acc", "spa")]
    show("Systems", TEXTS, columns, "texts", "systems", intervals=False)
    columns = [(name, "roc_auc") for name in SYSTEMS]
    show("Error-free segments", TEXTS, columns, "error-free", "binary")
    columns = [
        ("et-en-references", metric)
        for metric in ("spread_per_worse_output", "below_all", "fall", "range")
    ]
    show("Two references", TEXTS, columns, "references", "references")
    columns = [(name, "ece") for name in (*TAGGED, *SYSTEMS)]
    show("ECE", (Row("quality", None),), columns, "tokens", "tokens", intervals=False)


if __name__ == "__main__":
    main()
