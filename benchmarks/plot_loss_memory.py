"""Draw the peak extra memory of a training step against the vocabulary, measured at the allocator.

``python benchmarks/plot_loss_memory.py docs/figures/loss-memory.svg`` takes minutes on two cores;
the ending of the path chooses between SVG and PNG.
"""

import argparse
import math
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES
from headwise.report.plots.style import LIGHT, SMALL, Theme
from loss_sides import CORE, DENSE, OURS, Problem, allocator_extra, sides, step

MIB = 2**20
# Of the height of the axes
LINE_SHARE = 0.07
VOCABULARIES = tuple(4096 * 2**k for k in range(6))
NAMES = {DENSE: "all logits", CORE: "PyTorch's chunks", OURS: "headwise"}


def measured(positions: int, hidden: int) -> dict[str, list[float]]:
    """MiB beyond the gradients' own, by side, one for each vocabulary."""
    found: dict[str, list[float]] = {}
    for vocabulary in VOCABULARIES:
        problem = Problem(positions, hidden, vocabulary, torch.float32, torch.device("cpu"))
        tensors = problem.tensors()
        for name, loss in sides(problem).items():
            if not found.get(name):
                step(loss, Problem(8, hidden, 64, problem.dtype, problem.device).tensors())
            extra, _ = allocator_extra(loss, tensors, problem)
            found.setdefault(name, []).append(extra / MIB)
        print(f"V {vocabulary}: {', '.join(f'{k} {v[-1]:.1f} MiB' for k, v in found.items())}")
    return found


def draw(axes: Axes, theme: Theme, found: dict[str, list[float]]) -> None:
    """A line a side, named beside its end."""
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    colours = {}
    for index, (name, values) in enumerate(found.items()):
        colours[name], dashes = theme.line_style(index)
        axes.plot(
            VOCABULARIES,
            values,
            color=colours[name],
            linestyle=dashes,
            linewidth=1.6,
            marker="o",
            markersize=3.5,
        )
    axes.set_xlim(VOCABULARIES[0] / 1.2, VOCABULARIES[-1] * 1.1)
    # Ends that nearly meet would have their names on top of each other
    low, high = (math.log2(limit) for limit in axes.get_ylim())
    least, place = LINE_SHARE * (high - low), -math.inf
    for name in sorted(found, key=lambda name: found[name][-1]):
        place = max(math.log2(found[name][-1]), place + least)
        axes.annotate(
            f"{NAMES.get(name, name)}: {sized(found[name][-1])}",
            (1.015, 2**place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=SMALL,
            color=colours[name],
            annotation_clip=False,
        )


def sized(mebibytes: float) -> str:
    """A number of bytes as people say it."""
    if mebibytes >= 1024:
        return f"{mebibytes / 1024:.3g} GiB"
    return f"{mebibytes:.3g} MiB"


def budget_line(axes: Axes, theme: Theme) -> None:
    """The byte budget that headwise was given."""
    budget = DEFAULT_WORKSPACE_BYTES / MIB
    axes.axhline(budget, color=theme.soft, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1.5)
    axes.annotate(
        f"workspace_bytes: {sized(budget)}",
        (VOCABULARIES[2], budget),
        xytext=(0, 3),
        textcoords="offset points",
        fontsize=SMALL,
        color=theme.soft,
    )


def main() -> None:
    """Measure, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--positions", type=int, default=2048)
    parser.add_argument("--hidden", type=int, default=512)
    options = parser.parse_args()
    found = measured(options.positions, options.hidden)
    drawing = LIGHT.new_figure(3.3)
    axes = drawing.subplots()
    LIGHT.style_axes(axes)
    budget_line(axes, LIGHT)
    draw(axes, LIGHT, found)
    axes.xaxis.set_major_locator(FixedLocator(VOCABULARIES))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v / 1024:.0f}k"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: sized(v)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    LIGHT.label(axes, x="vocabulary", y="peak extra memory")
    aside = f"forward and backward, N {options.positions:,}, H {options.hidden}, float32"
    LIGHT.title(axes, "Memory beyond the gradients", aside)
    options.path.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(options.path)


if __name__ == "__main__":
    main()
