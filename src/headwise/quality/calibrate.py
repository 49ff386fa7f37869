"""Fit a calibration on texts whose errors are known.

The sources are split in two. Calibrators are fitted to one half; thresholds are chosen, and the fit
is checked, on the other, so that no figure comes from data that a calibrator has seen.
"""

from collections.abc import Mapping, Sequence

from headwise.data.readers.nested_rows import as_pairs
from headwise.data.records.pairs import Pairlike
from headwise.data.records.signals import Aggregation, Signal
from headwise.data.records.token_marks import has_error
from headwise.errors import CalibrationError
from headwise.metrics.platt_scaling import MINIMUM_OF_CLASS
from headwise.metrics.ranking import roc_auc
from headwise.quality.calibration.calibrators import Method, check_method, fit_calibrator
from headwise.quality.calibration.record import (
    NOT_CALIBRATED,
    Calibration,
    Provenance,
    SentenceCalibration,
)
from headwise.quality.calibration.threshold_curve import choose_thresholds
from headwise.quality.calibration.thresholds import (
    DEFAULT_RULES,
    DEFAULT_SEGMENT_RULE,
    Rule,
    Threshold,
)
from headwise.quality.calibration.usual_words import UsualWords
from headwise.quality.estimator import QualityEstimator
from headwise.quality.labelled_texts import LabelledTexts, label_signals

_CHANCE = 0.5


def calibrate(
    estimator: QualityEstimator,
    pairs: Sequence[Pairlike],
    *,
    method: Method = "isotonic",
    signal: Signal | str | None = None,
    aggregation: Aggregation | str | None = None,
    rules: Sequence[Rule] = DEFAULT_RULES,
    default: str = "mcc",
    segment_rule: Rule = DEFAULT_SEGMENT_RULE,
    groups: Sequence[str] | None = None,
    data: Sequence[str] = (),
    force: bool = False,
    progress: bool = False,
) -> Calibration:
    """Score pairs once and learn from their errors what the scores mean.

    A token is wrong if it overlaps an error or stands right after a gap; a text has an error as
    :func:`~headwise.data.records.token_marks.has_error` says. The probabilities hold for texts
    with as many errors as these.

    Args:
        estimator: What scores; its own calibration is not used.
        pairs: Pairs with ``errors``, ``()`` where there are none; objects may have
            ``annotations`` and ``word_tags`` as rows of JSON have them.
        method: ``isotonic``, ``platt`` or ``temperature``.
        signal: What is calibrated; by default the signal of those that the heads give and
            ``softmax`` that tells right from wrong tokens best, by ROC AUC on the half that
            calibrators are fitted to. A note names them all.
        aggregation: How the values of a text's tokens become one; by default the geometric mean
            of probabilities of being right and the mean of other signals, but for ``error`` the
            best of ``noisy_or``, ``min`` and ``mean`` by ROC AUC of texts on that half.
        rules: What thresholds are chosen for.
        default: Name of the rule whose threshold is used if nothing else is asked for.
        segment_rule: What the threshold is chosen for below which a whole text is flagged, by its
            probability that it has no error.
        groups: What each pair belongs to: texts of a group are split together and are one unit of
            the promise that ``risk`` makes. By default the source, or the text if it has none.
        data: Names of the data, for the record.
        force: Whether to go on where the signal tells tokens apart no better than chance.
        progress: Whether to show a progress bar on standard error.

    Returns:
        The calibration; it is neither saved nor put into the estimator.

    Raises:
        CalibrationError: If a pair has unknown errors, there are too few right or wrong tokens, or
            the interval of their ROC AUC on the second half reaches down to 0.5 and nothing forces
            it.
        ValueError: If a name is unknown, or method and signal do not go together.
    """
    given = as_pairs(pairs)
    check_method(method)
    rules = tuple(rules)
    asked = None if signal is None else Signal(signal)
    if asked in NOT_CALIBRATED:
        raise ValueError(f"`signal` must be what `quality` is to be made of, got '{signal}'.")
    if default not in (names := [rule.name for rule in rules]):
        raise ValueError(f"`default` must be one of {', '.join(names)}, got {default!r}.")
    how = None if aggregation is None else Aggregation(aggregation)
    compared = _compared(estimator) if asked is None else (asked, Signal.SOFTMAX)
    labelled = label_signals(
        estimator, given, tuple(dict.fromkeys(compared)), groups=groups, progress=progress
    )
    judged, chosen_notes = _chosen_signal(labelled, asked)
    fitted_on, chosen_on = judged.halves()
    tokens = fit_calibrator(
        method, fitted_on.tokens(), ~fitted_on.wrong(), probabilities=judged.signal.is_probability
    )
    sentence, notes = _fit_sentences(fitted_on, method, how or _best_aggregation(fitted_on))
    segment, segment_notes = _segment_threshold(chosen_on, sentence, segment_rule)
    chosen_notes += _better_than_chance(chosen_on, force=force)
    thresholds = choose_thresholds(chosen_on.decisions(tokens), rules)
    if (reason := thresholds[default].reason) is not None:
        raise CalibrationError(f"There is no default threshold {default}. {reason}")
    return Calibration(
        signal=judged.signal,
        token=tokens,
        sentence=sentence,
        thresholds=thresholds,
        default=default,
        segment=segment,
        usual_sources=UsualWords.of([p.source for p in given if p.source is not None]),
        usual_hypotheses=UsualWords.of([p.hypothesis for p in given if not has_error(p)]),
        provenance=Provenance(
            data=tuple(data),
            errors=judged.categories(),
            fitted_on=fitted_on.counts(),
            chosen_on=chosen_on.counts(),
            left_out=len(given) - len(judged.texts),
            tokens=chosen_on.check_tokens(tokens),
            sentences=None if sentence is None else chosen_on.check_sentences(sentence),
            notes=(*chosen_notes, *notes, *segment_notes),
        ),
    )


def _compared(estimator: QualityEstimator) -> tuple[Signal, ...]:
    """What heads give, and what there is without them: a head has to be better than that."""
    of_heads = (s for s in (Signal.SIGMOID, Signal.ERROR) if estimator.heads.can_give(s))
    return (*of_heads, Signal.SOFTMAX)


def _chosen_signal(
    labelled: Mapping[Signal, LabelledTexts], asked: Signal | None
) -> tuple[LabelledTexts, tuple[str, ...]]:
    """The given signal, or the one that tells tokens apart best; a note if it had rivals."""
    if len(labelled) == 1:
        return next(iter(labelled.values())), ()
    areas: dict[Signal, float | None] = {}
    for signal, texts in labelled.items():
        half = texts.halves()[0]
        areas[signal] = roc_auc(half.tokens(), ~half.wrong()).value
    best = max(areas, key=lambda signal: _or_lowest(areas[signal]))
    chosen = asked or best
    measured = ", ".join(
        f"{signal} {'undefined' if area is None else f'{area:.3f}'}"
        for signal, area in areas.items()
    )
    why = "the best" if chosen is best else f"as asked for, though {best} is better"
    note = (
        f"Made of {chosen}, {why} by ROC AUC of tokens on the half that calibrators are fitted "
        f"to: {measured}."
    )
    return labelled[chosen], (note,)


def _better_than_chance(texts: LabelledTexts, *, force: bool) -> tuple[str, ...]:
    """A note on a signal that may know nothing, which has to be forced."""
    found = texts.separation()
    if found is None or found[1] > _CHANCE:
        return ()
    area, low, high = found
    said = (
        f"{texts.signal} tells wrong tokens from right ones no better than chance on the half "
        f"that thresholds are chosen on: ROC AUC {area:.3f}, 95 % interval [{low:.3f}, {high:.3f}]."
    )
    if force:
        return (f"Forced, though {said}",)
    raise CalibrationError(
        f"{said} A calibration of it would say little but how many tokens are wrong. Give texts "
        "with errors that it knows, or more of them; calibrate another signal (`--signal`); or "
        "have it all the same with `--force` (`force=True`)."
    )


def _best_aggregation(texts: LabelledTexts) -> Aggregation:
    """How token values become a text's, if nobody says it."""
    if texts.signal is Signal.ERROR:
        rivals = (Aggregation.NOISY_OR, Aggregation.MIN, Aggregation.MEAN)
        flawless = texts.flawless()
        return max(
            rivals, key=lambda how: _or_lowest(roc_auc(texts.sentences(how), flawless).value)
        )
    product = Aggregation.GEOMETRIC_MEAN
    return product if product.is_defined_for(texts.signal) else Aggregation.MEAN


def _or_lowest(area: float | None) -> float:
    return -1.0 if area is None else area


def _fit_sentences(
    texts: LabelledTexts, method: Method, how: Aggregation
) -> tuple[SentenceCalibration | None, tuple[str, ...]]:
    scores, flawless = texts.sentences(how), texts.flawless()
    rarer = min(int(flawless.sum()), int((~flawless).sum()))
    if rarer < MINIMUM_OF_CLASS:
        note = (
            f"No probabilities of texts: that needs {MINIMUM_OF_CLASS} texts with errors and as "
            f"many without in the half that calibrators are fitted to; of one kind there are "
            f"{rarer}."
        )
        return None, (note,)
    try:
        calibrator = fit_calibrator(
            method, scores, flawless, probabilities=texts.signal.is_probability
        )
    except CalibrationError as error:
        return None, (f"No probabilities of texts: {error}",)
    return SentenceCalibration(aggregation=how, calibrator=calibrator), ()


def _segment_threshold(
    texts: LabelledTexts, sentence: SentenceCalibration | None, rule: Rule
) -> tuple[Threshold | None, tuple[str, ...]]:
    """Where to draw the line between texts; a note if there is no saying."""
    if sentence is None:
        return None, ()
    flawless = texts.flawless()
    if flawless.all() or not flawless.any():
        kind = "without" if flawless.all() else "with"
        return None, (
            f"No threshold for texts: in the half that it is chosen on, all are {kind} errors.",
        )
    chosen = choose_thresholds(texts.text_decisions(sentence), (rule,))[rule.name]
    if chosen.value is None:
        return None, (f"No threshold for texts: {chosen.reason}",)
    return chosen, ()
