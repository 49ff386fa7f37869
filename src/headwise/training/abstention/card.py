"""What a model card says of an abstention head."""

from headwise.training.abstention.settings import (
    AbstentionReport,
    AbstentionTraining,
    ErrorLabels,
)
from headwise.training.loop.run_file import TrainingRun
from headwise.training.loop.settings import BALANCED

_BEGIN = "\n## Abstention\n"


def card_with_abstention(before: str | None, report: AbstentionReport, run: TrainingRun) -> str:
    """A card with its section on abstention, put at the end or in place of an older one.

    Args:
        before: The card of the NLI head, or ``None``.
        report: What was done.
        run: The run, for its settings and files.
    """
    if before is None:
        before = f"# Entailment heads for {run.backbone}\n"
    return before.split(_BEGIN)[0].rstrip() + "\n" + _BEGIN + _section(report, run)


def _section(report: AbstentionReport, run: TrainingRun) -> str:
    settings = AbstentionTraining.from_dict(run.settings)
    rows = "\n".join(
        f"| {name} | {_number(quality.auroc)} | {quality.aurc:.4f} | "
        f"{quality.accuracy_at_80:.4f} | {quality.accuracy_at_90:.4f} |"
        for name, quality in report.signals.items()
    )
    if report.calibration_pairs:
        judged = "The pairs that chose the threshold took no part in training."
    else:
        judged = (
            "The threshold was chosen on the dev pairs that also chose the heads, so that its "
            "figures are a little too good; measure on other data."
        )
    return f"""
A second head reads the NLI head's hidden layer and logits and says how doubtful its label is
{_scale(settings)}.

| what | value |
| --- | --- |
| learned from | {_labels(report, settings)} |
| training files | {", ".join(run.data) or "given in Python"} |
| pairs, share of errors | {report.train_pairs:,}, {report.train_errors:.1%} |
| abstains by | {settings.abstain_by}, at {report.threshold:.6g} or more |
| threshold | {report.threshold_basis} |
| answered there, accuracy of the answers | {report.coverage:.1%}, \
{_number(report.answered_accuracy)} |

{judged}

On {report.dev_pairs:,} dev pairs, of which {report.dev_accuracy:.2%} are labelled right:

| uncertainty | AUROC of errors | area under risk-coverage | accuracy at 80 % coverage | at 90 % |
| --- | --- | --- | --- | --- |
{rows}
"""


def _scale(settings: AbstentionTraining) -> str:
    if settings.class_weights == BALANCED:
        return "(errors weighed as much as right answers in training: it is no probability)"
    return "(as a probability that it is wrong)"


def _labels(report: AbstentionReport, settings: AbstentionTraining) -> str:
    if settings.labels is ErrorLabels.OWN_ERRORS:
        return "errors of the NLI head on its own training pairs"
    accuracies = ", ".join(f"{accuracy:.3f}" for accuracy in report.fold_accuracies)
    kind = "probable errors"
    if settings.labels is ErrorLabels.OUT_OF_FOLD:
        kind = "errors"
    return (
        f"{kind} of {settings.folds} NLI heads, each on premises that it was not trained on "
        f"(accuracies {accuracies})"
    )


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
