"""Fit a calibration on texts whose errors are known.

The sources are split in two. Calibrators are fitted to one half; thresholds are chosen, and the fit
is checked, on the other, so that no figure comes from data that a calibrator has seen.
"""

from collections.abc import Sequence

from headwise.data.aggregation import Aggregation
from headwise.data.pairs import Pair
from headwise.data.signals import Signal
from headwise.errors import CalibrationError
from headwise.quality.calibration import Calibration, Provenance, SentenceCalibration
from headwise.quality.calibrators import MINIMUM_OF_CLASS, Method, check_method, fit_calibrator
from headwise.quality.estimator import QualityEstimator
from headwise.quality.labelled_texts import LabelledTexts, label_texts
from headwise.quality.threshold_curve import choose_thresholds
from headwise.quality.thresholds import DEFAULT_RULES, Rule


def calibrate(
    estimator: QualityEstimator,
    pairs: Sequence[Pair],
    *,
    method: Method = "isotonic",
    signal: Signal | str = Signal.SIGMOID,
    aggregation: Aggregation | str | None = None,
    rules: Sequence[Rule] = DEFAULT_RULES,
    default: str = "mcc",
    groups: Sequence[str] | None = None,
    data: Sequence[str] = (),
    progress: bool = False,
) -> Calibration:
    """Score pairs once and learn from their errors what the scores mean.

    A token is wrong if it overlaps an error; a text has no error if none of its tokens is wrong.
    The probabilities hold for texts with as many errors as these.

    Args:
        estimator: What scores; its own calibration is not used.
        pairs: Pairs with ``errors``, ``()`` where there are none.
        method: ``isotonic``, ``platt`` or ``temperature``.
        signal: What is calibrated.
        aggregation: How the values of a text's tokens become one; by default the geometric mean
            of probabilities, the mean of other signals.
        rules: What thresholds are chosen for.
        default: Name of the rule whose threshold is used if nothing else is asked for.
        groups: What each pair belongs to: texts of a group are split together and are one unit of
            the promise that ``risk`` makes. By default the source, or the text if it has none.
        data: Names of the data, for the record.
        progress: Whether to show a progress bar on standard error.

    Returns:
        The calibration; it is neither saved nor put into the estimator.

    Raises:
        CalibrationError: If a pair has unknown errors, or there are too few right or wrong tokens.
        ValueError: If a name is unknown, or method and signal do not go together.
    """
    check_method(method)
    signal, rules = Signal(signal), tuple(rules)
    if signal is Signal.QUALITY:
        raise ValueError("`signal` must be what `quality` is to be made of, got 'quality'.")
    if default not in (names := [rule.name for rule in rules]):
        raise ValueError(f"`default` must be one of {', '.join(names)}, got {default!r}.")
    if aggregation is None:
        product = Aggregation.GEOMETRIC_MEAN
        aggregation = product if product.is_defined_for(signal) else Aggregation.MEAN
    judged = label_texts(estimator, pairs, signal, groups=groups, progress=progress)
    fitted_on, chosen_on = judged.halves()
    tokens = fit_calibrator(
        method, fitted_on.tokens(), ~fitted_on.wrong(), probabilities=signal.is_probability
    )
    sentence, notes = _fit_sentences(fitted_on, method, Aggregation(aggregation))
    thresholds = choose_thresholds(chosen_on.decisions(tokens), rules)
    if (reason := thresholds[default].reason) is not None:
        raise CalibrationError(f"There is no default threshold {default}. {reason}")
    return Calibration(
        signal=signal,
        token=tokens,
        sentence=sentence,
        thresholds=thresholds,
        default=default,
        provenance=Provenance(
            data=tuple(data),
            errors=judged.categories(),
            fitted_on=fitted_on.counts(),
            chosen_on=chosen_on.counts(),
            left_out=len(pairs) - len(judged.texts),
            tokens=chosen_on.check_tokens(tokens),
            sentences=None if sentence is None else chosen_on.check_sentences(sentence),
            notes=notes,
        ),
    )


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
