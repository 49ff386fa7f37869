"""The model card that a trained head carries."""

from collections.abc import Sequence

from headwise.training.loop.settings import Evaluation

_WORDS = {
    "auroc_crude": "auroc, crude",
    "auroc_plausible": "auroc, plausible",
    "auroc_marked": "auroc, marked",
    "macro_f1": "macro-F1",
}


def evaluation_table(evaluations: Sequence[Evaluation], names: Sequence[str]) -> str:
    """Measures on dev at each evaluation, as Markdown.

    Args:
        evaluations: What was found, in order.
        names: Which measures.
    """
    head = " | ".join(["step", "epoch", *(f"dev {_WORDS.get(name, name)}" for name in names)])
    lines = [f"| {head} |", "| " + " | ".join(["---"] * (len(names) + 2)) + " |"]
    for evaluation in evaluations:
        values = [f"{evaluation.metrics[name]:.4f}" for name in names if name in evaluation.metrics]
        lines.append(f"| {evaluation.step} | {evaluation.epoch:.2f} | {' | '.join(values)} |")
    return "\n".join(lines)
