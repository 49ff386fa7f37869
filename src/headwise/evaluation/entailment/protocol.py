"""Are the answers of an entailment model right, and does it know when they are not?"""

from collections.abc import Sequence

import numpy as np

from headwise.evaluation.entailment import confusion, measures
from headwise.evaluation.entailment.judged_pairs import (
    CLASS_NAMES,
    JudgedArrays,
    JudgedInference,
    judged_arrays,
)
from headwise.evaluation.entailment.overlap_slices import overlap_slices
from headwise.evaluation.entailment.signals import answer_columns, confidence_columns
from headwise.evaluation.statistics.columns import SignalColumn, plain_column
from headwise.evaluation.statistics.figures import reliability, risk_coverage
from headwise.evaluation.statistics.measures import probability_measures
from headwise.evaluation.statistics.notes import calibration_note
from headwise.evaluation.statistics.results import Evaluation, Table
from headwise.evaluation.statistics.setup import Setup
from headwise.evaluation.statistics.tables import build_table


def entailment(
    inferences: Sequence[JudgedInference],
    setup: Setup,
    *,
    abstain_by: str,
    language: str | None = "en",
) -> Evaluation:
    """Compare the answers of a model, its uncertainty and its abstentions with the gold.

    ``abstain_by`` names the model's own uncertainty, such as ``learned``; ``language`` is that of
    the negation words of a slice, ``None`` for no such slice. Units and aggregations do not matter.

    Raises:
        ValueError: If there is no pair, or the language has no list of words.
    """
    judged = judged_arrays(inferences)
    confidences = confidence_columns(judged, abstain_by, seed=setup.resampling.seed)
    tables = [
        _answers(judged, setup),
        _classes(judged, setup),
        confusion.confusion_table(judged),
        _abstention(judged, confidences, setup),
    ]
    notes = list(setup.notes)
    if judged.answered.any() and not judged.answered.all():
        tables.append(_decisions(judged, confidences, setup))
    else:
        every = "no pair" if judged.answered.all() else "every pair"
        notes.append(f"At its threshold the model abstains on {every}: no decisions to judge.")
    calibrated = [column for column in confidences if column.is_probability]
    if calibrated:
        tables.append(_calibration(judged, calibrated, setup))
    tables.append(_slices(inferences, judged, setup, language=language))
    curve = reliability(confidences, judged.correct, of="answers")
    return Evaluation(
        protocol="entailment",
        title=f"Entailment and abstention: {setup.gold_name}",
        settings=setup.settings,
        tables=tuple(tables),
        figures=(
            confusion.confusion_figure(judged),
            risk_coverage(
                confidences,
                (~judged.correct).astype(np.float64),
                of="answers",
                risk="share of wrong ones",
            ),
            *([curve] if curve else []),
        ),
        mistakes=confusion.surest_mistakes(inferences, judged),
        notes=tuple(notes),
    )


def _answers(judged: JudgedArrays, setup: Setup) -> Table:
    counts = np.bincount(judged.gold, minlength=len(CLASS_NAMES))
    most = int(counts.argmax())
    always = np.full(len(judged.gold), float(most))
    of_classes = ", ".join(
        f"{count:,} {name}" for name, count in zip(CLASS_NAMES, counts.tolist(), strict=True)
    )
    return build_table(
        (
            plain_column("model", judged.predicted.astype(np.float64)),
            plain_column(f"always {CLASS_NAMES[most]}", always),
        ),
        measures.answer_measures(judged.gold, classes=len(CLASS_NAMES)),
        groups=judged.groups,
        resampling=setup.resampling,
        name="classification",
        title=f"Answers to all pairs ({setup.gold_name})",
        note=f"{len(judged.gold):,} pairs of {judged.groups.max() + 1:,} groups: {of_classes}. "
        "Every pair counts, whether the model abstains on it or not.",
        rows_are="answers",
    )


def _classes(judged: JudgedArrays, setup: Setup) -> Table:
    index_of = {name: index for index, name in enumerate(CLASS_NAMES)}
    return build_table(
        [
            plain_column(name, (judged.gold == index).astype(np.float64))
            for name, index in index_of.items()
        ],
        measures.class_measures(judged.predicted, judged.gold, index_of=index_of),
        groups=judged.groups,
        resampling=setup.resampling,
        name="classes",
        title="Each class",
        note="Precision: share of the answers with this class that are right. Recall: share of "
        "the pairs of this class that get it.",
        rows_are="class",
    )


def _abstention(judged: JudgedArrays, columns: Sequence[SignalColumn], setup: Setup) -> Table:
    wrong = int((~judged.correct).sum())
    return build_table(
        columns,
        measures.abstention_measures(judged.correct),
        groups=judged.groups,
        resampling=setup.resampling,
        name="abstention",
        title="Right answers against wrong ones",
        note=f"{wrong:,} of {len(judged.gold):,} answers are wrong. The pairs of the lowest "
        f"uncertainty are answered first; the model abstains by {columns[0].signal}. AP is that "
        "of finding wrong answers. If all pairs were answered, accuracy would be "
        f"{judged.correct.mean():.3f}.",
    )


def _decisions(judged: JudgedArrays, columns: Sequence[SignalColumn], setup: Setup) -> Table:
    silent = int((~judged.answered).sum())
    return build_table(
        answer_columns(columns, judged.answered, seed=setup.resampling.seed),
        measures.abstaining_measures(judged.correct),
        groups=judged.groups,
        resampling=setup.resampling,
        name="decisions",
        title="Abstentions at the model's threshold",
        note=f"The model abstains on {silent:,} of {len(judged.gold):,} pairs; the other signals "
        "are made to abstain on as many. Precision, recall and F1 are those of abstentions as a "
        "claim that the answer would be wrong. Intervals are those of the decisions, given the "
        "threshold.",
    )


def _calibration(judged: JudgedArrays, columns: Sequence[SignalColumn], setup: Setup) -> Table:
    return build_table(
        columns,
        probability_measures(judged.correct, columns),
        groups=judged.groups,
        resampling=setup.resampling,
        name="calibration",
        title="Confidence as a probability of being right",
        note="A learned uncertainty is one minus such a probability; if its head was trained "
        "with weighted classes, it was not meant to be calibrated." + calibration_note(columns),
    )


def _slices(
    inferences: Sequence[JudgedInference],
    judged: JudgedArrays,
    setup: Setup,
    *,
    language: str | None,
) -> Table:
    return build_table(
        [
            plain_column(one.name, one.members.astype(np.float64))
            for one in overlap_slices(inferences, language=language)
        ],
        measures.slice_measures(judged),
        groups=judged.groups,
        resampling=setup.resampling,
        name="slices",
        title="Pairs whose words suggest an answer",
        note="Lexical overlap: all words of the hypothesis stand in the premise. Subsequence: in "
        "this order and side by side. Shared words: the quarters of pairs with the smallest and "
        "the largest share of hypothesis words in the premise, and what ties with them. A model "
        "that takes shared words for entailment is worse on pairs that share words and are not "
        "entailed (McCoy et al. 2019). Slices without a pair are left out; intervals of few "
        "pairs are too narrow.",
        rows_are="slice",
    )
