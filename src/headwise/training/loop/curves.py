"""A picture of a training run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headwise.files import atomic_path, naming_output
from headwise.training.loop.report import TrainingHistory


@dataclass(frozen=True, slots=True)
class MeasurePlot:
    """What is drawn beside the losses: words of measures by their names in evaluations."""

    names: Mapping[str, str]
    axis: str
    title: str


def draw_curves(history: TrainingHistory, path: Path, *, criterion: str, plot: MeasurePlot) -> None:
    """Draw losses and other measures over the steps as a PNG file.

    The place of the head that was kept is marked in the plot of the criterion that chose it.

    Raises:
        OutputError: If the file cannot be written.
    """
    # Slow to import; and `Figure` needs no display, unlike pyplot
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, others = figure.subplots(1, 2)
    steps = [evaluation.step for evaluation in history.evaluations]
    if history.train_losses:
        losses.plot(*zip(*history.train_losses, strict=True), color="0.7", label="training")
    dev_losses = [evaluation.metrics["loss"] for evaluation in history.evaluations]
    losses.plot(steps, dev_losses, color="tab:blue", marker="o", label="dev")
    losses.set(xlabel="step", ylabel="loss (nats)", title="Loss")
    for name, words in plot.names.items():
        values = [evaluation.metrics.get(name) for evaluation in history.evaluations]
        if any(value is not None for value in values):
            others.plot(steps, values, marker="o", label=words)
    others.set(xlabel="step", ylabel=plot.axis, title=plot.title)
    best = history.evaluations[history.best]
    chosen = losses if criterion == "loss" else others
    chosen.axvline(best.step, color="tab:red", linestyle=":", label="kept")
    for axes in (losses, others):
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize="small")
    with naming_output(path), atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
