"""Do the scores of words or tokens find those that are wrong?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headwise.choices import Unit
from headwise.evaluation.quality.columns import JudgedUnits, judged_units
from headwise.evaluation.quality.disagreements import unit_disagreements
from headwise.evaluation.quality.judged_texts import JudgedText, group_numbers
from headwise.evaluation.quality.protocols.correlation import columns_of
from headwise.evaluation.quality.slices import sliced
from headwise.evaluation.statistics.columns import SignalColumn
from headwise.evaluation.statistics.cross_fitting import FOLDS, decided_flags
from headwise.evaluation.statistics.figures import histogram, reliability, risk_coverage
from headwise.evaluation.statistics.measures import (
    against,
    decision_measures,
    probability_measures,
    separation_measures,
)
from headwise.evaluation.statistics.notes import calibration_note
from headwise.evaluation.statistics.results import Evaluation, Table
from headwise.evaluation.statistics.setup import Setup
from headwise.evaluation.statistics.tables import build_table
from headwise.metrics import roc_auc


def error_detection(
    texts: Sequence[JudgedText],
    setup: Setup,
) -> Evaluation:
    """Compare the scores of words or tokens with marks of errors; unmarked text counts as right.

    Raises:
        ValueError: If there is no text, or a text has no marks or no tokens.
    """
    check_marks(texts)
    units = setup.units or (Unit.TOKEN,)
    found = [judged_units(texts, unit, seed=setup.resampling.seed) for unit in units]
    main = found[0]
    curve = reliability(main.columns, ~main.wrong, of=f"{main.unit}s")
    return Evaluation(
        protocol="error-detection",
        title=f"Errors marked by {setup.gold_name}",
        settings=setup.settings,
        tables=(
            *(units_table(one, setup) for one in found),
            texts_table(texts, setup),
            *sliced(
                texts,
                main.columns,
                lambda inside: against(~main.wrong[inside], roc_auc.weighted, of_ranks=True),
                setup,
                groups=main.groups,
                metric=f"ROC AUC of {main.unit}s",
                owners=main.texts,
            ),
        ),
        figures=(
            histogram(main.columns, main.wrong, of=f"{main.unit}s"),
            *([curve] if curve else []),
            risk_coverage(
                main.columns,
                main.wrong.astype(np.float64),
                of=f"{main.unit}s",
                risk="share of wrong ones",
            ),
        ),
        disagreements=unit_disagreements(texts, main, setup.main_column(main.columns)),
        notes=setup.notes,
    )


def check_marks(texts: Sequence[JudgedText]) -> None:
    """Refuse texts in which errors cannot be looked for.

    Raises:
        ValueError: If there is no text, or a text has no marks or no tokens.
    """
    if not texts:
        raise ValueError("There is no text with error marks to evaluate.")
    unmarked = sum(text.scored.errors is None for text in texts)
    if unmarked:
        raise ValueError(
            f"{unmarked:,} of {len(texts):,} texts have no error marks; give `annotations` or "
            "tags: an empty list where there is no error."
        )
    if not all(text.scored.tokens for text in texts):
        raise ValueError("The texts hold no token scores; score them with --level token.")


def units_table(
    found: JudgedUnits, setup: Setup, *, gold_name: str | None = None, name: str | None = None
) -> Table:
    """Wrong words or tokens against right ones; names of gold and table have defaults."""
    correct = ~found.wrong
    flags = {
        id(column): decided_flags(
            column,
            found.wrong,
            found.groups,
            threshold=setup.threshold,
            seed=setup.resampling.seed,
        )
        for column in found.columns
    }

    def flagged(column: SignalColumn) -> NDArray[np.bool_]:
        return flags[id(column)]

    return build_table(
        found.columns,
        (
            *separation_measures(correct, positive="wrong"),
            *decision_measures(flagged, found.wrong),
            *probability_measures(correct, found.columns),
        ),
        groups=found.groups,
        resampling=setup.resampling,
        name=name or f"{found.unit}s",
        title=f"Wrong {found.unit}s against right ones ({gold_name or setup.gold_name})",
        note=f"{len(correct):,} {found.unit}s of {found.texts.max() + 1:,} texts, "
        f"{found.wrong.mean():.1%} of them wrong. Average precision is that of finding wrong "
        f"ones. {decisions_note(len(np.unique(found.groups)), setup.threshold)}"
        + calibration_note(found.columns),
    )


def decisions_note(sources: int, threshold: float | None = None) -> str:
    """How the thresholds of decisions were chosen, of items of so many sources."""
    if threshold is not None:
        return f"MCC and F1 are those of flagging a confidence below {threshold:g}."
    if sources < 2:
        return "Thresholds for MCC and F1 are chosen on the very source that they judge."
    return (
        f"Thresholds for MCC and F1 are chosen for the best MCC on other sources, in "
        f"{min(FOLDS, sources)} folds; intervals are those of the decisions, given the thresholds."
    )


def texts_table(
    texts: Sequence[JudgedText],
    setup: Setup,
    *,
    name: str = "texts",
    title: str = "Texts without an error against those with one",
) -> Table:
    """Clean texts against those with an error."""
    correct = np.array([not text.has_error for text in texts], dtype=np.bool_)
    return build_table(
        columns_of(texts, setup),
        separation_measures(correct, positive="wrong"),
        groups=group_numbers(texts),
        resampling=setup.resampling,
        name=name,
        title=title,
        note=f"{len(texts):,} texts, {int((~correct).sum()):,} of them with an error.",
    )
