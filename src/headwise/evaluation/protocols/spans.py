"""Do the spans below a threshold cover the spans that people marked?"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from headwise.data.error_spans import Range
from headwise.evaluation.columns import Column, Unit, pieces
from headwise.evaluation.cross_fitting import cross_fitted_flags
from headwise.evaluation.disagreements import in_pieces
from headwise.evaluation.figures import histogram
from headwise.evaluation.judged_text import JudgedText, group_numbers
from headwise.evaluation.measures import Measure
from headwise.evaluation.protocols.error_detection import check_marks
from headwise.evaluation.resampling import Resampling
from headwise.evaluation.results import Evaluation
from headwise.evaluation.tables import build_table
from headwise.metrics import SpanScores, overlap_counts, span_scores, token_span_scores
from headwise.metrics.weighted import Weighted, weighted_ratio

Counts = NDArray[np.int64]


def spans(
    texts: Sequence[JudgedText],
    *,
    gold_name: str,
    unit: Unit = Unit.WORD,
    resampling: Resampling = Resampling(),
    settings: Mapping[str, str | int | float | bool] | None = None,
    notes: Sequence[str] = (),
) -> Evaluation:
    """Compare spans below a threshold with marked spans, by characters and by tokens.

    The threshold of a signal is the one with the best F1 of wrong words on four fifths of the
    sources, applied to the last fifth, five times.

    Args:
        texts: Texts scored at token level, with error marks.
        gold_name: Who marked the errors, for a reader.
        unit: What is compared with the threshold before neighbours are joined.
        resampling: Settings of intervals and tests.
        settings: What else the report should say about the run.
        notes: What a reader has to know.

    Raises:
        ValueError: If there is no text, or a text has no marks or no tokens.
    """
    check_marks(texts)
    found = pieces(texts, unit, seed=resampling.seed)
    gold = [list(text.error_ranges or ()) for text in texts]
    tokens = [[(t.start, t.end) for t in text.scored.tokens if t.start < t.end] for text in texts]
    predicted: dict[int, list[list[Range]]] = {}
    for column in found.columns:
        flags = cross_fitted_flags(
            column.values, found.wrong, found.groups, seed=resampling.seed, criterion="f1"
        )
        marked: list[list[Range]] = [[] for _ in texts]
        for owner, place in zip(
            found.texts[flags], np.array(found.ranges, dtype=np.int64)[flags], strict=True
        ):
            _append(marked[owner], (int(place[0]), int(place[1])), texts[owner].scored.hypothesis)
        predicted[id(column)] = marked

    def characters(column: Column) -> SpanScores:
        return span_scores(predicted[id(column)], gold)

    def in_tokens(column: Column) -> SpanScores:
        return token_span_scores(predicted[id(column)], gold, tokens)

    def counts(column: Column) -> Counts:
        return overlap_counts(predicted[id(column)], gold)

    def token_counts(column: Column) -> Counts:
        return overlap_counts(predicted[id(column)], gold, tokens=tokens)

    groups = group_numbers(texts)
    table = build_table(
        found.columns,
        (
            *_span_measures("span", characters, counts),
            *_span_measures("token_span", in_tokens, token_counts),
        ),
        groups=groups,
        resampling=resampling,
        name="spans",
        title=f"Spans against those marked by {gold_name}",
        note=f"{len(texts):,} texts with {sum(map(len, gold)):,} marked spans. Neighbouring "
        f"{unit}s below the threshold make a span. Thresholds are chosen for the best F1 of wrong "
        f"{unit}s on four fifths of the sources and applied to the last fifth, five times.",
    )
    return Evaluation(
        protocol="spans",
        title=f"Spans marked by {gold_name}",
        settings=settings or {},
        tables=(table,),
        figures=(histogram(found.columns, found.wrong, of=f"{unit}s"),),
        disagreements=in_pieces(texts, found, found.columns[0]),
        notes=tuple(notes),
    )


def _append(marked: list[Range], place: Range, text: str) -> None:
    """Add a range, joined to the one before it if nothing but space lies between."""
    if marked and not text[marked[-1][1] : place[0]].strip():
        marked[-1] = (marked[-1][0], max(marked[-1][1], place[1]))
    else:
        marked.append(place)


def _span_measures(
    name: str, scores: Callable[[Column], SpanScores], counts: Callable[[Column], Counts]
) -> tuple[Measure, ...]:
    """Precision, recall and F1 of spans from the counts of each text."""

    def ratio(column: Column, over: Sequence[int], times: float) -> Weighted:
        numbers = counts(column).astype(np.float64)  # right, predicted and gold, of each text
        return weighted_ratio(times * numbers[:, 0], numbers[:, list(over)].sum(axis=1))

    return (
        Measure(
            name=f"{name}_precision",
            measure=lambda c: scores(c).precision,
            weighted=lambda c: ratio(c, (1,), 1.0),
        ),
        Measure(
            name=f"{name}_recall",
            measure=lambda c: scores(c).recall,
            weighted=lambda c: ratio(c, (2,), 1.0),
        ),
        Measure(
            name=f"{name}_f1",
            measure=lambda c: scores(c).f1,
            weighted=lambda c: ratio(c, (1, 2), 2.0),
        ),
    )
