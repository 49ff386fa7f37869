"""Do the scores tell good texts from bad ones, where the gold is yes or no?"""

from collections.abc import Sequence

import numpy as np

from headwise.evaluation.quality.disagreements import rank_disagreements
from headwise.evaluation.quality.judged_texts import JudgedText, group_numbers
from headwise.evaluation.quality.protocols.correlation import columns_of, gold_of
from headwise.evaluation.quality.protocols.error_detection import decisions_note
from headwise.evaluation.quality.slices import sliced
from headwise.evaluation.statistics.columns import SignalColumn
from headwise.evaluation.statistics.cross_fitting import decided_flags
from headwise.evaluation.statistics.figures import histogram, reliability, risk_coverage
from headwise.evaluation.statistics.measures import (
    against,
    decision_measures,
    probability_measures,
    rejection_measures,
    separation_measures,
)
from headwise.evaluation.statistics.notes import calibration_note
from headwise.evaluation.statistics.results import Evaluation
from headwise.evaluation.statistics.setup import Setup
from headwise.evaluation.statistics.tables import build_table
from headwise.metrics import roc_auc
from headwise.metrics.inputs import Bools


def binary(
    texts: Sequence[JudgedText],
    setup: Setup,
) -> Evaluation:
    """Compare the scores of texts with a gold of 1 (good) and 0 (bad).

    Raises:
        ValueError: If there is no text, or a gold value is neither 0 nor 1.
    """
    columns = columns_of(texts, setup)
    gold = gold_of(texts)
    if not np.isin(gold, (0.0, 1.0)).all():
        other = gold[~np.isin(gold, (0.0, 1.0))][0]
        raise ValueError(
            f"A binary gold must be 0 or 1, got {other:g}; use the protocol `correlation` for "
            "numbers."
        )
    correct = gold == 1.0
    groups = group_numbers(texts)

    def flagged(column: SignalColumn) -> Bools:
        return decided_flags(column, ~correct, groups, seed=setup.resampling.seed)

    table = build_table(
        columns,
        (
            *separation_measures(correct, positive="correct"),
            *decision_measures(flagged, ~correct),
            *rejection_measures(correct),
            *probability_measures(correct, columns),
        ),
        groups=groups,
        resampling=setup.resampling,
        name="binary",
        title=f"Good texts against bad ones ({setup.gold_name})",
        note=f"{len(texts):,} texts of {groups.max() + 1:,} sources, {int(correct.sum()):,} of "
        f"them ({correct.mean():.1%}) good. Gold: {setup.gold_name}. Average precision is that of "
        "finding good ones. " + decisions_note(len(np.unique(groups))) + calibration_note(columns),
    )
    curve = reliability(columns, correct, of="texts")
    return Evaluation(
        protocol="binary",
        title=f"Scores against {setup.gold_name}",
        settings=setup.settings,
        tables=(
            table,
            *sliced(
                texts,
                columns,
                lambda inside: against(correct[inside], roc_auc.weighted, of_ranks=True),
                setup,
                groups=groups,
                metric="ROC AUC",
            ),
        ),
        figures=(
            histogram(columns, ~correct, of="texts"),
            *([curve] if curve else []),
            risk_coverage(columns, 1.0 - gold, of="texts", risk="share of bad texts"),
        ),
        disagreements=rank_disagreements(texts, setup.main_column(columns), gold),
        notes=setup.notes,
    )
