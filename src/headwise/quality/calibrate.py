"""Fit a calibration on texts whose errors are known.

The sources are split in two. Calibrators are fitted to one half; thresholds are chosen, and the fit
is checked, on the other, so that no figure comes from data that a calibrator has seen.
"""

from collections.abc import Sequence

from headwise.data.readers.nested_rows import as_pairs
from headwise.data.records.pairs import Pairlike
from headwise.data.records.signals import Aggregation, Signal, parse_signals
from headwise.data.records.token_marks import has_error
from headwise.errors import CalibrationError
from headwise.metrics.platt_scaling import MINIMUM_OF_CLASS
from headwise.quality.calibration.blend import Blend
from headwise.quality.calibration.calibrators import Method, check_method, fit_calibrator
from headwise.quality.calibration.provenance import Provenance
from headwise.quality.calibration.record import OF_QUALITY, Calibration, SentenceCalibration
from headwise.quality.calibration.threshold_curve import choose_thresholds
from headwise.quality.calibration.thresholds import (
    DEFAULT_RULES,
    DEFAULT_SEGMENT_RULE,
    Rule,
    Threshold,
)
from headwise.quality.calibration.usual_words import UsualWords
from headwise.quality.choosing import (
    Choice,
    choose_for_ranking,
    choose_for_texts,
    choose_for_tokens,
)
from headwise.quality.estimator import QualityEstimator
from headwise.quality.labelled_texts import LabelledTexts, label_signals

_CHANCE = 0.5


def calibrate(
    estimator: QualityEstimator,
    pairs: Sequence[Pairlike],
    *,
    method: Method = "isotonic",
    signal: Signal | str | Sequence[Signal | str] | None = None,
    text_signal: Signal | str | Sequence[Signal | str] | None = None,
    context: bool = False,
    aggregation: Aggregation | str | None = None,
    rules: Sequence[Rule] = DEFAULT_RULES,
    default: str = "mcc",
    segment_rule: Rule = DEFAULT_SEGMENT_RULE,
    ranking: Signal | str | None = None,
    groups: Sequence[str] | None = None,
    gold: Sequence[float | None] | None = None,
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
            ``annotations`` and ``word_tags`` as rows of JSON have them. What is ``unsure`` in them
            counts nowhere.
        method: ``isotonic``, ``platt`` or ``temperature``.
        signal: What is calibrated: one signal, or several that are weighed by a logistic
            regression. By default (``"auto"``) what the heads give and ``softmax`` are compared on
            the half that calibrators are fitted to, by ROC AUC, alone and weighed together, where
            the weights are tried on sources that were left out. They are weighed if that is better
            than the best alone by more than its 95 % interval. Tokens and texts have a choice of
            their own; notes name all figures.
        text_signal: What the probability of whole texts is made of, likewise; by default the same.
            Of several their aggregates are weighed, which may be another choice than that of
            tokens: what finds a wrong word need not say how good a text is.
        context: Whether a token is judged by its text as well: the mean of each signal over the
            text is weighed with what the token has itself. While a text is generated token by
            token, that is the text so far.
        aggregation: How the values of a text's tokens become one; by default the geometric mean
            of probabilities of being right, the mean of other signals, or ``root_length``, for
            ``error`` also ``noisy_or`` or ``min``: the best by ROC AUC of texts on that half. Of
            several signals, it is that of the tokens' probability, and by default theirs are
            weighed.
        rules: What thresholds are chosen for.
        default: Name of the rule whose threshold is used if nothing else is asked for.
        segment_rule: What the threshold is chosen for below which a whole text is flagged, by its
            probability that it has no error.
        ranking: What `rerank` sorts hypotheses by: the mean of a signal, or with ``"texts"`` what
            the probability of texts is made of. By default the best of these by pairwise accuracy
            on the other half, if that has 10 sources with texts of which one is better than
            another; else ``"texts"``.
        groups: What each pair belongs to: texts of a group are split together and are one unit of
            the promise that ``risk`` makes. By default the source, or the text if it has none.
        gold: What each pair is worth beside others of its group, the higher the better; ``None``
            for what is not to be compared, such as a copy with a made error. By default a text is
            worth the less, the more errors it has.
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
    asked, automatic = _signals(signal, estimator)
    of_texts = None if text_signal is None else _signals(text_signal, estimator)
    if default not in (names := [rule.name for rule in rules]):
        raise ValueError(f"`default` must be one of {', '.join(names)}, got {default!r}.")
    how = None if aggregation is None else Aggregation(aggregation)
    others = () if of_texts is None else of_texts[0]
    compared = tuple(dict.fromkeys((*asked, *others, Signal.SOFTMAX)))
    labelled = label_signals(
        estimator, given, compared, groups=groups, gold=gold, progress=progress
    )
    blend, token_notes = choose_for_tokens(
        labelled.halves()[0], asked, automatic=automatic, context=context
    )
    fitted_on, chosen_on = labelled.of(blend).halves()
    token_notes += _better_than_chance(chosen_on, force=force)
    tokens = fit_calibrator(
        method, fitted_on.tokens(), ~fitted_on.wrong(), probabilities=blend.is_probability
    )
    fitted_on, chosen_on = fitted_on.with_quality(tokens), chosen_on.with_quality(tokens)
    sentence, notes = _fit_sentences(
        fitted_on.settled(), method, of_texts or (asked, automatic), how, apart=of_texts is not None
    )
    ranked_by, ranking_notes = _ranking(ranking, chosen_on, compared, sentence)
    settled = chosen_on.settled()
    segment, segment_notes = _segment_threshold(settled, sentence, segment_rule)
    thresholds = choose_thresholds(chosen_on.decisions(tokens), rules)
    if (reason := thresholds[default].reason) is not None:
        raise CalibrationError(f"There is no default threshold {default}. {reason}")
    return Calibration(
        blend=blend,
        token=tokens,
        sentence=sentence,
        ranking=ranked_by,
        thresholds=thresholds,
        default=default,
        segment=segment,
        usual_sources=UsualWords.of([p.source for p in given if p.source is not None]),
        usual_hypotheses=UsualWords.of([p.hypothesis for p in given if not has_error(p)]),
        provenance=Provenance(
            data=tuple(data),
            errors=labelled.categories(),
            fitted_on=fitted_on.counts(),
            chosen_on=chosen_on.counts(),
            left_out=len(given) - len(labelled.texts),
            tokens=chosen_on.check_tokens(tokens),
            sentences=None if sentence is None else settled.check_sentences(sentence),
            notes=(*token_notes, *ranking_notes, *notes, *segment_notes),
        ),
    )


def _signals(
    asked: Signal | str | Sequence[Signal | str] | None, estimator: QualityEstimator
) -> tuple[tuple[Signal, ...], bool]:
    """The signals that ``quality`` is to be made of, and whether that is a choice among them.

    By default they are what heads give, and what there is without them: a head has to be better
    than that.
    """
    if asked is None or asked == "auto":
        of_heads = (s for s in (Signal.SIGMOID, Signal.ERROR) if estimator.heads.can_give(s))
        return (*of_heads, Signal.SOFTMAX), True
    signals = parse_signals(asked)
    for signal in signals:
        if signal in (Signal.QUALITY, Signal.OMISSION):
            raise ValueError(f"`signal` must be what `quality` is to be made of, got '{signal}'.")
    return signals, False


def _better_than_chance(texts: LabelledTexts, *, force: bool) -> tuple[str, ...]:
    """A note on a signal that may know nothing, which has to be forced."""
    found = texts.separation()
    if found is None or found[1] > _CHANCE:
        return ()
    area, low, high = found
    said = (
        f"{texts.blend.name} tells wrong tokens from right ones no better than chance on the half "
        f"that thresholds are chosen on: ROC AUC {area:.3f}, 95 % interval [{low:.3f}, {high:.3f}]."
    )
    if force:
        return (f"Forced, though {said}",)
    raise CalibrationError(
        f"{said} A calibration of it would say little but how many tokens are wrong. Give texts "
        "with errors that it knows, or more of them; calibrate another signal (`--signal`); or "
        "have it all the same with `--force` (`force=True`)."
    )


def _fit_sentences(
    texts: LabelledTexts,
    method: Method,
    asked: tuple[Sequence[Signal], bool],
    how: Aggregation | None,
    *,
    apart: bool,
) -> tuple[SentenceCalibration | None, tuple[str, ...]]:
    signals, automatic = asked
    flawless = texts.flawless()
    rarer = min(int(flawless.sum()), int((~flawless).sum()))
    if rarer < MINIMUM_OF_CLASS:
        note = (
            f"No probabilities of texts: that needs {MINIMUM_OF_CLASS} texts with errors and as "
            f"many without in the half that calibrators are fitted to; of one kind there are "
            f"{rarer}."
        )
        return None, (note,)
    try:
        blend, notes = choose_for_texts(texts, signals, how, automatic=automatic, apart=apart)
        calibrator = fit_calibrator(
            method, texts.sentences(blend), flawless, probabilities=blend.is_probability
        )
    except CalibrationError as error:
        return None, (f"No probabilities of texts: {error}",)
    return SentenceCalibration(blend=blend, calibrator=calibrator), notes


def _ranking(
    asked: Signal | str | None,
    texts: LabelledTexts,
    signals: Sequence[Signal],
    sentence: SentenceCalibration | None,
) -> Choice:
    """What hypotheses are ranked by: what was asked for, or chosen by evidence."""
    of_texts = None if sentence is None else sentence.blend
    if asked is None:
        return choose_for_ranking(texts, signals, of_texts)
    if asked == "texts":
        return Choice(of_texts or OF_QUALITY)
    return Choice(Blend.alone(asked, Aggregation.MEAN))


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
