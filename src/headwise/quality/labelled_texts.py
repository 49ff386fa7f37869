"""Scored texts whose errors are known: what calibrators are fitted to and checked on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import compress

import numpy as np

from headwise.data.readers.nested_rows import as_pairs
from headwise.data.records.pairs import Pair, Pairlike
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal, values_of
from headwise.data.records.token_marks import has_error, known_marks, token_marks
from headwise.errors import CalibrationError, InputError
from headwise.metrics.bootstrap import bootstrap, percentile_interval
from headwise.metrics.inputs import Bools, Floats
from headwise.metrics.probability import brier, expected_calibration_error
from headwise.metrics.ranking import roc_auc
from headwise.quality.calibration.blend import Blend, Feature, aggregated
from headwise.quality.calibration.calibrators import Calibrator
from headwise.quality.calibration.provenance import Counts, Fit
from headwise.quality.calibration.record import SentenceCalibration
from headwise.quality.calibration.threshold_curve import LabelledTokens
from headwise.quality.estimator import QualityEstimator

_UNNAMED = "unnamed"


@dataclass(frozen=True, slots=True)
class _Text:
    """A scored text: values and labels of its tokens, what it belongs to, and what it is worth.

    ``known`` says of which tokens it is known whether they are wrong, ``flawless`` is ``None``
    where that of the text is not known. ``gold`` is the higher the better, to be compared within a
    group; ``None`` if it is not.
    """

    values: Mapping[Signal, Sequence[float]]
    wrong: tuple[bool, ...]
    known: tuple[bool, ...]
    flawless: bool | None
    group: str
    categories: frozenset[str]
    gold: float | None


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Texts of a token or more, with values of signals and what is wrong with them.

    Attributes:
        blend: What the scores of tokens are made of.
    """

    blend: Blend
    texts: tuple[_Text, ...]

    def of(self, blend: Blend) -> "LabelledTexts":
        """The same texts, with other scores."""
        return replace(self, blend=blend)

    def halves(self) -> tuple["LabelledTexts", "LabelledTexts"]:
        """Two parts that share no group; the group's name alone decides."""
        parts: tuple[list[_Text], list[_Text]] = ([], [])
        for text in self.texts:
            # The last byte, so that data chosen by the first one are still split evenly
            parts[sha256(text.group.encode("utf-8", "surrogatepass")).digest()[-1] % 2].append(text)
        return replace(self, texts=tuple(parts[0])), replace(self, texts=tuple(parts[1]))

    def settled(self) -> "LabelledTexts":
        """Those texts of which it is known whether anything is wrong with them."""
        return replace(self, texts=tuple(t for t in self.texts if t.flawless is not None))

    def tokens(self) -> Floats:
        """Scores of the N tokens of which it is known what they are, the higher the better."""
        return self.blend(self.columns(self.blend.features))

    def columns(self, features: Sequence[Feature]) -> dict[Feature, Floats]:
        """Values of features of these tokens, ``(N,)`` each: their own, or those of their texts."""
        known = np.array([k for text in self.texts for k in text.known], np.bool_)
        return {feature: one[known] for feature, one in self._of_all(features).items()}

    def _of_all(self, features: Sequence[Feature]) -> dict[Feature, Floats]:
        lengths = [len(text.wrong) for text in self.texts]
        of_texts = self.aggregates([one for one in features if not isinstance(one, Signal)])
        return {
            feature: np.array([v for text in self.texts for v in text.values[feature]], np.float64)
            if isinstance(feature, Signal)
            else np.repeat(of_texts[feature], lengths)
            for feature in features
        }

    def token_groups(self) -> list[str]:
        """What each token belongs to."""
        return [text.group for text in self.texts for known in text.known if known]

    def groups(self) -> list[str]:
        """What each text belongs to."""
        return [text.group for text in self.texts]

    def gold(self) -> list[float | None]:
        """What each text is worth beside others of its group."""
        return [text.gold for text in self.texts]

    def wrong(self) -> Bools:
        """Whether each token is wrong, ``(N,)``."""
        marks = (mark for text in self.texts for mark in compress(text.wrong, text.known))
        return np.fromiter(marks, np.bool_)

    def sentences(self, blend: Blend) -> Floats:
        """Scores of the texts by a blend of aggregates, ``(n,)``."""
        return blend(self.aggregates(blend.features))

    def aggregates(self, features: Sequence[Feature]) -> dict[Feature, Floats]:
        """Values of signals of all texts, aggregated, ``(n,)`` each."""
        return {
            feature: np.array([aggregated(text.values, feature) or 0.0 for text in self.texts])
            for feature in features
        }

    def with_quality(self, token: Calibrator) -> "LabelledTexts":
        """The same texts, of whose tokens the calibrated probability is known too."""
        quality = iter(token(self.blend(self._of_all(self.blend.features))).tolist())
        known = (
            {**text.values, Signal.QUALITY: [next(quality) for _ in text.wrong]}
            for text in self.texts
        )
        texts = (replace(text, values=v) for text, v in zip(self.texts, known, strict=True))
        return replace(self, texts=tuple(texts))

    def flawless(self) -> Bools:
        """Whether nothing is wrong with each of these settled texts or missing in it, ``(n,)``."""
        assert all(text.flawless is not None for text in self.texts)
        return np.array([text.flawless for text in self.texts], np.bool_)

    def decisions(self, calibrator: Calibrator) -> LabelledTokens:
        """The tokens as thresholds see them."""
        lengths = [sum(text.known) for text in self.texts]
        units = np.unique([text.group for text in self.texts], return_inverse=True)[1]
        return LabelledTokens.of(
            calibrator(self.tokens()),
            self.wrong(),
            np.repeat(np.arange(len(lengths)), lengths),
            np.repeat(units.astype(np.int64), lengths),
        )

    def text_decisions(self, sentence: SentenceCalibration) -> LabelledTokens:
        """Whole texts as thresholds see them, each in the place of a token.

        Those with errors and those without are repeated until there are about as many of both:
        how many a user has is not what the data say, of which two in three may be made wrong.
        """
        units = np.unique([text.group for text in self.texts], return_inverse=True)[1]
        wrong = ~self.flawless()
        of_kind = np.where(wrong, wrong.sum(), (~wrong).sum())
        repeated = np.repeat(np.arange(len(wrong)), np.rint(of_kind.max() / of_kind).astype(int))
        return LabelledTokens.of(
            sentence.calibrator(self.sentences(sentence.blend))[repeated],
            wrong[repeated],
            np.arange(len(repeated)),
            units.astype(np.int64)[repeated],
        )

    def separation(self) -> tuple[float, float, float] | None:
        """ROC AUC of tokens with its 95 % interval over groups; ``None`` where it is undefined."""
        statistic = roc_auc.weighted(self.tokens(), ~self.wrong())
        value = statistic.metric().value
        if value is None:
            return None
        groups = self.token_groups()
        interval = percentile_interval(bootstrap([statistic], count=len(groups), groups=groups)[0])
        return None if interval is None else (value, *interval)

    def check_tokens(self, calibrator: Calibrator) -> Fit:
        """How well the probabilities of tokens fit these texts."""
        return _fit(self.tokens(), calibrator, ~self.wrong(), self.blend)

    def check_sentences(self, sentence: SentenceCalibration) -> Fit:
        """How well the probabilities of texts fit these texts."""
        scores = self.sentences(sentence.blend)
        return _fit(scores, sentence.calibrator, self.flawless(), sentence.blend)

    def counts(self) -> Counts:
        """How much there is."""
        return Counts(
            sources=len({text.group for text in self.texts}),
            texts=len(self.texts),
            texts_with_errors=sum(text.flawless is False for text in self.texts),
            tokens=sum(sum(text.known) for text in self.texts),
            wrong_tokens=int(self.wrong().sum()),
        )

    def categories(self) -> dict[str, int]:
        """How many texts have an error of each category, by name."""
        return dict(sorted(Counter(c for text in self.texts for c in text.categories).items()))


def label_texts(
    estimator: QualityEstimator,
    pairs: Sequence[Pair],
    signal: Signal,
    *,
    groups: Sequence[str] | None = None,
    progress: bool = False,
) -> LabelledTexts:
    """As :func:`label_signals`, with one signal."""
    return label_signals(estimator, pairs, (signal,), groups=groups, progress=progress)


def label_signals(
    estimator: QualityEstimator,
    pairs: Sequence[Pairlike],
    signals: Sequence[Signal],
    *,
    groups: Sequence[str] | None = None,
    gold: Sequence[float | None] | None = None,
    progress: bool = False,
) -> LabelledTexts:
    """Score pairs with ``errors`` once, with several signals, and place the errors on the tokens.

    A token is wrong if it overlaps an error, or is the first one after a gap; what is ``unsure`` in
    a pair counts nowhere. Without ``groups``, a
    pair belongs to its source, or to its text if it has none; without ``gold``, it is worth the
    less, beside others of its group, the more errors it has. Texts stay in order; those that cannot
    be scored or have no token are left out. The scores are those of the first signal.

    Raises:
        CalibrationError: If the errors of a pair are not known, or no text can be scored.
        ValueError: If there is not one group, or gold, a pair.
    """
    given = as_pairs(pairs)
    for index, pair in enumerate(given):
        if pair.errors is None:
            place = f"line {pair.line}" if pair.line else f"index {index}"
            raise CalibrationError(
                f"The pair at {place} does not say what is wrong in it; give data with human "
                "marks, or put errors into correct text (`headwise calibrate --synthetic`)."
            )
    if groups is None:
        groups = [p.hypothesis if p.source is None else p.source for p in given]
    if gold is None:
        gold = [-float(len(pair.errors or ())) for pair in given]
    for name, values in (("groups", groups), ("gold", gold)):
        if len(values) != len(given):
            raise ValueError(
                f"`{name}` must be one a pair, got {len(values)} for {len(given)} pairs."
            )
    # Which texts the calibration of today knows does not matter to one of tomorrow
    scorer = estimator.scorer(signals)
    results = list(scorer.score_many(given, raising=False, warning=False, progress=progress))
    texts = [
        _labelled(scored, pair, group, worth, signals)
        for scored, pair, group, worth in zip(results, given, groups, gold, strict=True)
        if not isinstance(scored, InputError) and scored.text_tokens
    ]
    wrong = [scored for scored in results if isinstance(scored, InputError)]
    if wrong and not texts:
        raise CalibrationError(f"None of the {len(given):,} texts can be scored: {wrong[0]}")
    return LabelledTexts(Blend.alone(signals[0]), tuple(texts))


def _labelled(
    scored: ScoredHypothesis,
    pair: Pair,
    group: str,
    gold: float | None,
    signals: Sequence[Signal],
) -> _Text:
    errors = pair.errors or ()
    tokens = [token for token in scored.text_tokens if token.start < token.end]
    ranges = [(token.start, token.end) for token in tokens]
    wrong = token_marks(ranges, errors, pair.hypothesis).wrong
    known = known_marks(ranges, pair.unsure).wrong if pair.unsure else (True,) * len(wrong)
    faulty = has_error(pair)
    return _Text(
        values={signal: values_of(tokens, signal) for signal in signals},
        wrong=wrong,
        known=known,
        flawless=None if pair.unsure and not faulty else not faulty,
        group=group,
        categories=frozenset(error.category or _UNNAMED for error in errors),
        gold=gold,
    )


def _fit(scores: Floats, calibrator: Calibrator, correct: Bools, blend: Blend) -> Fit:
    after = calibrator(scores)
    before = scores if blend.is_probability else None
    return Fit(
        ece_before=None if before is None else expected_calibration_error(before, correct).value,
        ece_after=expected_calibration_error(after, correct).value,
        brier_before=None if before is None else brier(before, correct).value,
        brier_after=brier(after, correct).value,
        roc_auc=roc_auc(after, correct).value,
        share_correct=float(correct.mean()) if len(correct) else None,
    )
