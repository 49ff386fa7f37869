"""What ``quality`` is made of, of tokens, of texts and for ranking: chosen by evidence.

Signals are compared alone and weighed together. What is weighed is taken only where it is better
than the best one alone by more than chance, which every choice says in a note.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from headwise.data.records.signals import Aggregation, Signal
from headwise.errors import CalibrationError
from headwise.metrics.bootstrap import bootstrap, percentile_interval
from headwise.metrics.inputs import Bools, Floats
from headwise.metrics.pairwise_accuracy import pairwise_accuracy
from headwise.metrics.platt_scaling import MINIMUM_OF_CLASS
from headwise.metrics.ranking import roc_auc
from headwise.metrics.resampled import weighted_mean
from headwise.quality.calibration.blend import Blend, Feature, cross_validated, fit_blend
from headwise.quality.calibration.record import OF_QUALITY
from headwise.quality.labelled_texts import LabelledTexts

_ON = "on the half that calibrators are fitted to"
_FEWEST_SOURCES = MINIMUM_OF_CLASS


class Choice(NamedTuple):
    """What something is made of, and what speaks for it, in a sentence or none."""

    blend: Blend
    notes: tuple[str, ...] = ()


class _Compared(NamedTuple):
    """Areas under the ROC curve of features alone, and what they are weighed together.

    ``area`` is that of all together on groups that were left out, ``gain`` how much that is above
    the best one alone, with the ends of its 95 % interval; ``None`` where it cannot be known.
    """

    areas: Mapping[Feature, float | None]
    together: Blend | CalibrationError | None = None
    area: float | None = None
    gain: tuple[float, float, float] | None = None

    @property
    def best(self) -> Feature:
        return max(self.areas, key=lambda feature: _or_lowest(self.areas[feature]))

    def chosen(self, asked: Sequence[Feature], *, automatic: bool) -> Blend:
        """What is weighed if that was asked for or is better than the best alone; else that one."""
        if not automatic and len(asked) == 1 and self.together is None:
            return _alone(asked[0])
        if not automatic and isinstance(self.together, CalibrationError):
            raise self.together
        better = not automatic or (self.gain is not None and self.gain[1] > 0.0)
        if not better or not isinstance(self.together, Blend):
            return _alone(self.best)
        weighed = self.together
        return weighed if len(weighed.signals) > 1 else _alone(weighed.features[0])

    def why(self, chosen: Blend) -> str:
        """What was chosen, and how it compares with the best alone."""
        if chosen == _alone(self.best):
            return f"{chosen.name}, the best"
        if chosen.single is not None:
            return f"{chosen.name}, as asked for, though {_alone(self.best).name} is better"
        better = self.gain is not None and self.gain[1] > 0.0
        return f"{chosen.name}, {'better than each alone' if better else 'as asked for,'}"

    def figures(self) -> str:
        """All areas."""
        said = [f"{_alone(one).name} {_number(area)}" for one, area in self.areas.items()]
        if self.gain is not None:
            said.append(f"weighed together {_number(self.area)} ({_change(self.gain)})")
        return ", ".join(said)


def choose_for_tokens(
    texts: LabelledTexts, asked: Sequence[Signal], *, automatic: bool, context: bool = False
) -> Choice:
    """What the probability of tokens is made of: the best signal, or all that were asked for.

    Args:
        texts: Those that calibrators are fitted to; their other signals are named for comparison.
        asked: Signals to choose from, or to take without a choice.
        automatic: Whether there is a choice.
        context: Whether their means over the whole text are weighed with them.

    Raises:
        CalibrationError: If what was asked for cannot be weighed.
    """
    known: tuple[Signal, ...] = tuple(texts.texts[0].values) if texts.texts else tuple(asked)
    around: list[Feature] = [(one, Aggregation.MEAN) for one in asked] if context else []
    compared = _compare(
        texts.columns(known),
        [*asked, *around],
        ~texts.wrong(),
        texts.token_groups(),
        around=texts.columns(around),
    )
    chosen = compared.chosen(asked, automatic=automatic)
    if len(known) == 1 and not around:
        return Choice(chosen)
    why = f"Made of {compared.why(chosen)} by ROC AUC of tokens {_ON}"
    return Choice(chosen, (f"{why}: {compared.figures()}.",))


def choose_for_texts(
    texts: LabelledTexts,
    asked: Sequence[Signal],
    aggregation: Aggregation | None = None,
    *,
    automatic: bool,
    apart: bool = False,
) -> Choice:
    """What the probability of texts is made of: aggregates of signals, likewise.

    With an ``aggregation``, that of the tokens' one signal is taken, or of their probability if
    that is made of several; of signals that were asked for ``apart`` from those of tokens, theirs.

    Raises:
        CalibrationError: As :func:`choose_for_tokens`.
    """
    if aggregation is not None and not apart:
        return Choice(Blend.alone(texts.blend.single or Signal.QUALITY, aggregation))
    features = [(one, aggregation or _best_aggregation(texts, one)) for one in asked]
    if len(features) == 1:
        return Choice(_alone(features[0]))
    columns = texts.aggregates(features)
    compared = _compare(columns, features, texts.flawless(), texts.groups())
    chosen = compared.chosen(features, automatic=automatic)
    why = f"Texts are made of {compared.why(chosen)} by ROC AUC of texts {_ON}"
    return Choice(chosen, (f"{why}: {compared.figures()}.",))


def choose_for_ranking(
    texts: LabelledTexts, signals: Sequence[Signal], of_texts: Blend | None
) -> Choice:
    """What hypotheses of one source are ranked by: what texts are made of, or one signal's mean.

    Args:
        texts: Those that nothing was fitted to, with the probabilities of their tokens.
        signals: Those that may rank alone; the probability is tried as well.
        of_texts: What the probability of texts is made of, if there is one.
    """
    default = of_texts or OF_QUALITY
    gold = np.array(texts.gold(), np.float64)  # NaN for what is not to be compared
    groups, rivals = np.array(texts.groups()), np.isfinite(gold)
    found: defaultdict[str, set[float]] = defaultdict(set)
    for group, worth in zip(groups[rivals].tolist(), gold[rivals].tolist(), strict=True):
        found[group].add(worth)
    sources = sum(len(worths) > 1 for worths in found.values())
    if sources < _FEWEST_SOURCES:
        note = (
            f"Hypotheses are ranked by {default.name}: for a choice by evidence, "
            f"{_FEWEST_SOURCES} sources with better and worse texts are needed in the half that "
            f"thresholds are chosen on; there are {sources}."
        )
        return Choice(default, (note,))
    alone = [Blend.alone(one, Aggregation.MEAN) for one in (Signal.QUALITY, *signals)]
    accuracies = {
        blend: pairwise_accuracy(
            *(texts.sentences(blend)[rivals], gold[rivals], groups[rivals]),
            resamples=1,  # intervals of differences follow
        ).accuracies
        for blend in dict.fromkeys([*alone, default])
    }
    chosen = max(alone, key=lambda blend: float(accuracies[blend].mean()))
    said = ", ".join(f"{blend.name} {one.mean():.3f}" for blend, one in accuracies.items())
    if default not in alone:
        over = accuracies[default] - accuracies[chosen]
        gain = _gain(bootstrap([weighted_mean(over)], count=len(over))[0], float(over.mean()))
        if gain is not None:
            said += f" ({_change(gain)} against {chosen.name})"
            chosen = default if gain[1] > 0.0 else chosen
    note = (
        f"Hypotheses are ranked by {chosen.name}, by pairwise accuracy within the {sources:,} "
        f"sources of the half that thresholds are chosen on that have better and worse texts: "
        f"{said}."
    )
    return Choice(chosen, (note,))


def _compare(
    columns: Mapping[Feature, Floats],
    weighed: Sequence[Feature],
    correct: Bools,
    groups: Sequence[str],
    around: Mapping[Feature, Floats] = {},
) -> _Compared:
    """All features alone, and some of them together with what is known of their texts."""
    scores = {feature: _alone(feature)(columns) for feature in columns}
    areas = {feature: roc_auc(values, correct).value for feature, values in scores.items()}
    found = _Compared(areas)
    if len(weighed) == 1:
        return found
    chosen = {feature: {**columns, **around}[feature] for feature in weighed}
    try:
        blend = fit_blend(chosen, correct)
        found = _Compared(areas, blend)
        if around and blend.of_texts:
            return _Compared(areas, CalibrationError("Nothing speaks for a token but its text."))
        held_out = cross_validated(chosen, correct, groups)
    except CalibrationError as error:
        # What fits all of them may have too little in what is left without a fold
        return found if found.together is not None else _Compared(areas, error)
    rivals = (roc_auc.weighted(held_out, correct), roc_auc.weighted(scores[found.best], correct))
    area, best = (one.metric().value for one in rivals)
    if area is None or best is None:
        return found
    drawn = bootstrap(rivals, count=len(correct), groups=groups)
    return found._replace(area=area, gain=_gain(drawn[0] - drawn[1], area - best))


def _best_aggregation(texts: LabelledTexts, signal: Signal) -> Aggregation:
    """How token values become a text's, if nobody says it: what tells right texts best."""
    rivals = [Aggregation.GEOMETRIC_MEAN, Aggregation.ROOT_LENGTH]
    if signal is Signal.ERROR:
        rivals = [Aggregation.NOISY_OR, Aggregation.MIN, Aggregation.MEAN, Aggregation.ROOT_LENGTH]
    elif not rivals[0].is_defined_for(signal):
        rivals[0] = Aggregation.MEAN
    possible = [how for how in rivals if how.is_defined_for(signal)]
    flawless = texts.flawless()
    areas = {
        how: roc_auc(texts.sentences(Blend.alone(signal, how)), flawless).value for how in possible
    }
    return max(possible, key=lambda how: _or_lowest(areas[how]))


def _alone(feature: Feature) -> Blend:
    return Blend.alone(feature) if isinstance(feature, Signal) else Blend.alone(*feature)


def _gain(drawn: Floats, gain: float) -> tuple[float, float, float] | None:
    interval = percentile_interval(drawn)
    return None if interval is None else (gain, *interval)


def _change(gain: tuple[float, float, float]) -> str:
    return f"{gain[0]:+.3f}, 95 % interval [{gain[1]:+.3f}, {gain[2]:+.3f}]"


def _number(area: float | None) -> str:
    return "undefined" if area is None else f"{area:.3f}"


def _or_lowest(area: float | None) -> float:
    return -1.0 if area is None else area
