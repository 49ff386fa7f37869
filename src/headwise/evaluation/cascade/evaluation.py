"""Who answers in a cascade, how often wrongly, and what that costs against one model alone."""

import numpy as np
from numpy.typing import NDArray

from headwise.cascade import Trials, make_guarantee
from headwise.evaluation.statistics.counts import counted_share, number, plain_table, share
from headwise.evaluation.statistics.results import (
    Evaluation,
    Figure,
    FigureKind,
    Panel,
    SignalRow,
    Table,
)
from headwise.metrics import Metric, undefined
from headwise.metrics.thresholds.cascade import cascade_steps
from headwise.version import __version__

CASCADE, NOBODY = "cascade", "nobody"
# Shares of wrong answers that may be asked for
_RISKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
_NOT_ALL = "Not all stages were asked (--ask-all)."
_NOT_JUDGED = "Nobody says whether these answers are right."


def evaluate_cascade(trials: Trials, *, confidence: float = 0.95) -> Evaluation:
    """Say what a cascade saves and how often it is wrong.

    Args:
        trials: Questions that it answered; if all stages were asked, they are compared with it, and
            if all answers are judged, other thresholds are, too.
        confidence: Of intervals and guarantees, in (0, 1).
    """
    tables = [_who_answers(trials, confidence), _against_one(trials, confidence)]
    figures: tuple[Figure, ...] = ()
    notes = []
    if trials.labelled:
        tables.append(_guarantees(trials, confidence))
        figures = (_risk_figure(trials),)
    elif not trials.asked_all:
        notes.append(
            "Not all stages were asked about all questions: what each is worth alone, and what "
            "other thresholds would do, can be said of answers by `headwise cascade --ask-all`."
        )
    unjudged = int(np.isnan(trials.wrong_of(trials.given)).sum())
    if unjudged:
        notes.append(
            f"Of {unjudged:,} answers nobody says whether they are right; shares of wrong answers "
            "are of the others. Write `correct` into `attempts`, or name right answers "
            "(--reference-column)."
        )
    return Evaluation(
        protocol="cascade",
        title=f"A cascade of {' and '.join(trials.stages)}: {len(trials):,} questions",
        settings={
            "stages": ", ".join(trials.stages),
            "confidence": confidence,
            "headwise": __version__,
        },
        tables=tuple(tables),
        figures=figures,
        notes=tuple(notes),
    )


def _who_answers(trials: Trials, confidence: float) -> Table:
    total = len(trials)
    rows = []
    costs = trials.costs_of(trials.given)
    for place, name in enumerate((*trials.stages, NOBODY)):
        chosen = trials.given == place
        count = int(chosen.sum())
        if place < len(trials.stages):
            wrong = _judged(1.0 - trials.right[chosen, place])
            empty = _NOT_JUDGED if count else "It answers nothing."
        else:
            wrong, empty = np.zeros(0, bool), "No answer, no error."
        metrics = (
            number("questions", count, total),
            share("share", count, total),
            counted_share("wrong", wrong, level=confidence, empty=empty),
            number("cost", float(costs[chosen].mean()), count)
            if count
            else undefined("cost", "There are no questions.", count=0),
        )
        rows.append(SignalRow(signal=name, aggregation=None, metrics=metrics))
    return plain_table(
        "who-answers",
        "Who answers",
        rows,
        rows_are="stage",
        note="`wrong` is the share of a stage's answers that are; `cost` is of a question, with "
        "all stages that were asked before.",
    )


def _against_one(trials: Trials, confidence: float) -> Table:
    rows = [_policy(CASCADE, trials, trials.given, confidence)]
    for place, name in enumerate(trials.stages):
        rows.append(_alone(name, trials, place, confidence))
    return plain_table(
        "against-one",
        "Against one model alone",
        rows,
        rows_are="answered by",
        note=f"`saved` is the share of the cost of always asking {trials.stages[-1]} that is not "
        "spent; below 0, the cascade costs more.",
    )


def _policy(name: str, trials: Trials, given: NDArray[np.int64], confidence: float) -> SignalRow:
    """What it is worth to let these stages answer."""
    total = len(trials)
    cost = float(trials.costs_of(given).mean())
    metrics = (
        share("answered", int((given < len(trials.stages)).sum()), total),
        counted_share(
            "wrong", _judged(trials.wrong_of(given)), level=confidence, empty=_NOT_JUDGED
        ),
        number("cost", cost, total),
        _saved(trials, cost),
    )
    return SignalRow(signal=name, aggregation=None, metrics=metrics)


def _alone(name: str, trials: Trials, place: int, confidence: float) -> SignalRow:
    """What one stage is worth that answers everything."""
    total = len(trials)
    if np.isnan(trials.cost[:, place]).any():
        return SignalRow(
            signal=f"{name} alone",
            aggregation=None,
            metrics=(
                undefined("answered", _NOT_ALL, count=total),
                undefined("wrong", _NOT_ALL, count=total, higher_is_better=False),
                undefined("cost", _NOT_ALL, count=total),
                undefined("saved", _NOT_ALL, count=total),
            ),
        )
    answered = ~np.isnan(trials.quality[:, place])
    cost = float(trials.cost[:, place].mean())
    wrong = _judged(1.0 - trials.right[answered, place])
    metrics = (
        share("answered", int(answered.sum()), total),
        counted_share("wrong", wrong, level=confidence, empty=_NOT_JUDGED),
        number("cost", cost, total),
        _saved(trials, cost),
    )
    return SignalRow(signal=f"{name} alone", aggregation=None, metrics=metrics)


def _saved(trials: Trials, cost: float) -> Metric:
    """The share of the cost of always asking the last stage that is not spent."""
    total = len(trials)
    last = trials.cost[:, -1]
    if np.isnan(last).any():
        return undefined("saved", _NOT_ALL, count=total)
    if not last.sum():
        return undefined("saved", "The last stage costs nothing.", count=total)
    return Metric(name="saved", value=1.0 - cost / float(last.mean()), count=total)


def _guarantees(trials: Trials, confidence: float) -> Table:
    rows = []
    for risk in _RISKS:
        made = make_guarantee(trials, risk=risk, confidence=confidence)
        label = f"at most {100 * risk:g}% wrong"
        if made.accept_from is None:
            why = "These questions do not suffice." if made.needed else "No threshold keeps it."
            names = ("accept from", "answered", "wrong", "cost", "saved")
            metrics: tuple[Metric, ...] = tuple(undefined(one, why, count=0) for one in names)
        else:
            row = _policy(label, trials, trials.at(made.accept_from), confidence)
            metrics = (number("accept from", made.accept_from, len(trials)), *row.metrics)
        rows.append(SignalRow(signal=label, aggregation=None, metrics=metrics))
    return plain_table(
        "guarantees",
        "What could be guaranteed",
        rows,
        rows_are="guarantee",
        note=f"With {100 * confidence:g}% confidence each, for a bound that is named before one "
        "looks; the shares are of the questions that thresholds were drawn on.",
    )


def _risk_figure(trials: Trials) -> Figure:
    wrong = trials.right == 0.0
    panels = [_risk_panel(CASCADE, trials, wrong, list(range(len(trials.stages))))]
    if len(trials.stages) > 1:
        panels += [
            _risk_panel(f"{name} alone", trials, wrong, [place])
            for place, name in enumerate(trials.stages)
        ]
    return Figure(
        name="risk-coverage",
        kind=FigureKind.RISK_COVERAGE,
        title="How often wrong, by how many are answered",
        caption="Share of wrong answers among those that are given, from the strictest threshold "
        "of quality to the mildest; a stage that nobody rates is a point.",
        x_label="answered",
        y_label="wrong",
        panels=tuple(panels),
    )


def _risk_panel(name: str, trials: Trials, wrong: NDArray[np.bool_], places: list[int]) -> Panel:
    quality = trials.quality[:, places]
    if np.isnan(quality).all():
        return Panel(label=name, x=np.zeros(0), y=np.zeros(0))
    _, answers, errors = cascade_steps(quality, wrong[:, places])
    return Panel(label=name, x=answers / len(trials), y=errors / answers)


def _judged(wrong: NDArray[np.float64]) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = wrong[~np.isnan(wrong)] > 0.5
    return known
