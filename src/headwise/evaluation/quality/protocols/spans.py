"""Do the spans below a threshold cover the spans that people marked?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headwise.choices import Unit
from headwise.data.records.error_spans import Range
from headwise.data.records.scored_pieces import joined_ranges
from headwise.evaluation.quality.columns import judged_units
from headwise.evaluation.quality.disagreements import unit_disagreements
from headwise.evaluation.quality.judged_texts import JudgedText, group_numbers
from headwise.evaluation.quality.protocols.error_detection import check_marks
from headwise.evaluation.quality.slices import Inside, sliced
from headwise.evaluation.statistics.columns import SignalColumn
from headwise.evaluation.statistics.cross_fitting import decided_flags
from headwise.evaluation.statistics.figures import histogram
from headwise.evaluation.statistics.measures import Measure
from headwise.evaluation.statistics.results import Evaluation
from headwise.evaluation.statistics.setup import Setup
from headwise.evaluation.statistics.tables import build_table
from headwise.metrics import Statistic, span_statistics


def spans(
    texts: Sequence[JudgedText],
    setup: Setup,
) -> Evaluation:
    """Compare spans below a threshold with marked ones, by characters and by tokens.

    The threshold of a signal is the one with the best F1 of wrong words on four fifths of the
    sources, applied to the last fifth, five times.

    Raises:
        ValueError: If there is no text, or a text has no marks or no tokens.
    """
    check_marks(texts)
    unit = setup.units[0] if setup.units else Unit.WORD
    found = judged_units(texts, unit, seed=setup.resampling.seed)
    gold = [joined_ranges(text.error_ranges or (), text.scored.hypothesis) for text in texts]
    tokens = [[(t.start, t.end) for t in text.scored.tokens if t.start < t.end] for text in texts]
    # Of each column: precision, recall and F1, first in characters and then in tokens
    statistics: dict[int, tuple[Statistic, ...]] = {}
    of_signals: dict[str, list[list[Range]]] = {}
    for column in found.columns:
        flags = decided_flags(
            column,
            found.wrong,
            found.groups,
            threshold=setup.threshold,
            seed=setup.resampling.seed,
            criterion="f1",
        )
        marked: list[list[Range]] = [[] for _ in texts]
        for piece in np.flatnonzero(flags):
            marked[found.texts[piece]].append(found.ranges[piece])
        predicted = [
            joined_ranges(ranges, text.scored.hypothesis)
            for ranges, text in zip(marked, texts, strict=True)
        ]
        of_signals[column.signal] = predicted
        statistics[id(column)] = (
            *span_statistics(predicted, gold),
            *span_statistics(predicted, gold, tokens),
        )

    def measure(place: int) -> Measure:
        def of(column: SignalColumn) -> Statistic:
            return statistics[id(column)][place]

        return Measure(of=of)

    def f1_inside(inside: Inside) -> Measure:
        def of(column: SignalColumn) -> Statistic:
            predicted = of_signals[column.signal]
            return span_statistics([predicted[i] for i in inside], [gold[i] for i in inside])[2]

        return Measure(of=of)

    # Texts, not words, are the items of spans, whose values nothing reads
    of_texts = [replace(column, values=np.zeros(len(texts))) for column in found.columns]
    table = build_table(
        found.columns,
        [measure(place) for place in range(6)],
        groups=group_numbers(texts),
        resampling=setup.resampling,
        name="spans",
        title=f"Spans against those marked by {setup.gold_name}",
        note=f"{len(texts):,} texts with {sum(map(len, gold)):,} marked spans. Neighbouring "
        f"{unit}s below the threshold make a span, and neighbouring marks as well. "
        + (
            f"Thresholds are chosen for the best F1 of wrong {unit}s on other sources, in five "
            "folds if there are as many; intervals are those of the spans, given the thresholds."
            if setup.threshold is None
            else f"The threshold is {setup.threshold:g}, on the confidence of each signal."
        ),
    )
    return Evaluation(
        protocol="spans",
        title=f"Spans marked by {setup.gold_name}",
        settings=setup.settings,
        tables=(
            table,
            *sliced(
                texts,
                of_texts,
                f1_inside,
                setup,
                groups=group_numbers(texts),
                metric="Span F1",
            ),
        ),
        figures=(histogram(found.columns, found.wrong, of=f"{unit}s"),),
        disagreements=unit_disagreements(texts, found, setup.main_column(found.columns)),
        notes=setup.notes,
    )
