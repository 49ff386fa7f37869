"""What commands say of a calibration."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headwise.quality.calibration.provenance import Fit
    from headwise.quality.calibration.record import Calibration


def made_of(calibration: "Calibration") -> str:
    """What the signal ``quality`` is, and what hypotheses are ranked by."""
    made = calibration.described
    texts = f"of texts {made['texts']}" if "texts" in made else "texts have none"
    return f"made of {made['tokens']}; {texts}; ranking by {made['ranking']}"


def show_calibration(calibration: "Calibration") -> None:
    """Print thresholds, what it is made of, and how good that is."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    known = calibration.provenance
    table = Table(title="Thresholds on the probability that a token is right")
    table.add_column("threshold")
    for name in ("value", "flagged", "precision", "recall", "missed a text"):
        table.add_column(name, justify="right")
    for name, one in calibration.thresholds.items():
        label = f"{name} (default)" if name == calibration.default else name
        value = "-" if one.value is None else f"{one.value:.5f}"
        shares = (one.flagged, one.precision, one.recall, one.risk)
        table.add_row(label, value, *map(_share, shares))
    console.print(table)
    if (segment := calibration.segment) is not None:
        console.print(
            f"texts are flagged below {segment.value:.5f} ({segment.name}): if half of them have "
            f"errors, {_share(segment.flagged)} of all, precision {_share(segment.precision)}, "
            f"recall {_share(segment.recall)}",
            markup=False,
            soft_wrap=True,
        )
    console.print(f"quality is {made_of(calibration)}", markup=False, soft_wrap=True)
    for name, one in calibration.thresholds.items():
        if one.reason is not None:
            console.print(f"{name}: {one.reason}", markup=False)
    halves = (("fitted to", known.fitted_on), ("thresholds and checks on", known.chosen_on))
    for what, counts in halves:
        console.print(
            f"{what}: {counts.texts:,} texts of {counts.sources:,} sources, "
            f"{counts.texts_with_errors:,} with errors; {counts.tokens:,} tokens, "
            f"{counts.wrong_tokens:,} wrong",
            markup=False,
        )
    console.print(_fit_line("tokens", known.tokens))
    if known.sentences is not None:
        console.print(_fit_line("texts", known.sentences))
    for note in known.notes:
        console.print(note, markup=False, soft_wrap=True)
    for one in calibration.thresholds.values():
        if one.aim == "risk" and one.value is not None:
            console.print(
                f"risk-{one.level:g}: of the wrong tokens of a new text with errors, at most "
                f"{one.level:.0%} are expected to be missed, if its source and errors are drawn as "
                f"those of the {one.units:,} sources were. It is a promise about the mean, "
                "for such texts, not about each of them.",
                markup=False,
                soft_wrap=True,
            )


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _fit_line(what: str, fit: "Fit") -> str:
    def change(before: float | None, after: float | None) -> str:
        shown = ["-" if x is None else f"{x:.4f}" for x in (before, after)]
        return " -> ".join(shown)

    auc = "-" if fit.roc_auc is None else f"{fit.roc_auc:.4f}"
    return (
        f"{what}: ECE {change(fit.ece_before, fit.ece_after)}, "
        f"Brier {change(fit.brier_before, fit.brier_after)}, ROC AUC {auc}"
    )
