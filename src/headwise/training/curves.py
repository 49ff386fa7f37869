"""A picture of a training run."""

from pathlib import Path

from headwise.atomic import atomic_path, naming_output
from headwise.training.settings import Criterion, TrainingReport

_NAMES = {
    "auroc_crude": "wrong tokens by frequency",
    "auroc_plausible": "wrong tokens that the model finds possible",
    "auroc_marked": "tokens marked as wrong",
}


def draw_curves(report: TrainingReport, path: Path, *, criterion: Criterion) -> None:
    """Draw losses and AUROC over the steps as a PNG file.

    Args:
        report: The run.
        path: Where to.
        criterion: What chose the head that was kept; its place is marked.

    Raises:
        OutputError: If the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, separation = figure.subplots(1, 2)
    steps = [evaluation.step for evaluation in report.evaluations]
    if report.train_losses:
        losses.plot(*zip(*report.train_losses, strict=True), color="0.7", label="training")
    losses.plot(steps, report.dev_losses, color="tab:blue", marker="o", label="dev")
    losses.set(xlabel="step", ylabel="loss (nats)", title="Loss")
    for name, words in _NAMES.items():
        values = [evaluation.metrics.get(name) for evaluation in report.evaluations]
        if any(value is not None for value in values):
            separation.plot(steps, values, marker="o", label=words)
    separation.set(xlabel="step", ylabel="AUROC", title="Right dev tokens against wrong ones")
    best = report.evaluations[report.best]
    chosen = losses if criterion is Criterion.LOSS else separation
    chosen.axvline(best.step, color="tab:red", linestyle=":", label="kept")
    for axes in (losses, separation):
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize="small")
    with naming_output(path), atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
