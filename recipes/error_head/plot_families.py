"""A picture of leave_one_out.py's results: a family left out, seen, or without an error head."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_TITLES = {"tatoeba": "Tatoeba, dev-multireference", "multi30k": "Multi30k, test-2016-flickr"}
# Colour and shape, for those who see no colours
_ROWS = (
    ("best of softmax, boosted, sigmoid", "best", "#6b7280", "s"),
    ("error, family left out", "left out", "#c4641a", "o"),
    ("error, family seen", "seen", "#2b6cb0", "D"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("output", type=Path, help="SVG file")
    arguments = parser.parse_args()
    rows = json.loads(arguments.results.read_text("utf-8"))
    figure = Figure(figsize=(10, 5.4), layout="constrained")
    panels = figure.subplots(1, len(_TITLES), sharey=True, sharex=True)
    for axes, (corpus, title) in zip(panels, _TITLES.items(), strict=True):
        _draw(axes, [row for row in rows if row["corpus"] == corpus])
        axes.set(title=title, xlabel="ROC AUC of tokens")
        axes.grid(alpha=0.3)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(arguments.output, metadata={"Date": None})


def _draw(axes: Axes, rows: list[dict[str, Any]]) -> None:
    places = np.arange(len(rows))[::-1]
    for offset, (label, name, colour, marker) in zip((0.22, 0.0, -0.22), _ROWS, strict=True):
        values = np.array([_values(row, name) for row in rows])  # (families, 3)
        axes.errorbar(
            values[:, 0],
            places + offset,
            xerr=(values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]),
            fmt=marker,
            color=colour,
            markersize=4.5,
            linewidth=1.2,
            label=label,
        )
    axes.set_yticks(places, [row["family"].replace("_", " ") for row in rows])


def _values(row: dict[str, Any], name: str) -> tuple[float, float, float]:
    """Mean over seeds and the widest interval of any."""
    names = [n for n in row["tokens"] if n.startswith(name)] if name != "best" else [row["best"]]
    found = np.array([row["tokens"][n] for n in names])
    return float(found[:, 0].mean()), float(found[:, 1].min()), float(found[:, 2].max())


if __name__ == "__main__":
    main()
