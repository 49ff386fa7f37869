"""Scored texts whose errors are known: what calibrators are fitted to and checked on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from headwise.data.readers.nested_rows import as_pairs
from headwise.data.records.pairs import Pair, Pairlike
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Aggregation, Signal, aggregate, values_of
from headwise.data.records.token_marks import has_error, token_marks
from headwise.errors import CalibrationError, InputError
from headwise.metrics.bootstrap import bootstrap, percentile_interval
from headwise.metrics.inputs import Bools, Floats
from headwise.metrics.probability import brier, expected_calibration_error
from headwise.metrics.ranking import roc_auc
from headwise.quality.calibration.calibrators import Calibrator
from headwise.quality.calibration.record import Counts, Fit, SentenceCalibration, oriented
from headwise.quality.calibration.threshold_curve import LabelledTokens
from headwise.quality.estimator import QualityEstimator

_UNNAMED = "unnamed"


@dataclass(frozen=True, slots=True)
class _Text:
    """A scored text: values and labels of its tokens, and what it belongs to."""

    values: Sequence[float]
    wrong: tuple[bool, ...]
    flawless: bool
    group: str
    categories: frozenset[str]


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Texts of a token or more, with values of a signal and what is wrong with them."""

    signal: Signal
    texts: tuple[_Text, ...]

    def halves(self) -> tuple["LabelledTexts", "LabelledTexts"]:
        """Two parts that share no group; the group's name alone decides."""
        parts: tuple[list[_Text], list[_Text]] = ([], [])
        for text in self.texts:
            # The last byte, so that data chosen by the first one are still split evenly
            parts[sha256(text.group.encode("utf-8", "surrogatepass")).digest()[-1] % 2].append(text)
        return LabelledTexts(self.signal, tuple(parts[0])), LabelledTexts(
            self.signal, tuple(parts[1])
        )

    def tokens(self) -> Floats:
        """Oriented scores of all tokens, ``(N,)``."""
        return oriented([v for text in self.texts for v in text.values], self.signal)

    def wrong(self) -> Bools:
        """Whether each token is wrong, ``(N,)``."""
        return np.array([w for text in self.texts for w in text.wrong], np.bool_)

    def sentences(self, how: Aggregation) -> Floats:
        """Oriented scores of the texts, ``(n,)``."""
        return oriented(
            [aggregate(text.values, how, signal=self.signal) or 0.0 for text in self.texts],
            self.signal,
        )

    def flawless(self) -> Bools:
        """Whether nothing is wrong with each text or missing in it, ``(n,)``."""
        return np.array([text.flawless for text in self.texts], np.bool_)

    def decisions(self, calibrator: Calibrator) -> LabelledTokens:
        """The tokens as thresholds see them."""
        lengths = [len(text.values) for text in self.texts]
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
            sentence.calibrator(self.sentences(sentence.aggregation))[repeated],
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
        groups = [text.group for text in self.texts for _ in text.values]
        interval = percentile_interval(bootstrap([statistic], count=len(groups), groups=groups)[0])
        return None if interval is None else (value, *interval)

    def check_tokens(self, calibrator: Calibrator) -> Fit:
        """How well the probabilities of tokens fit these texts."""
        return _fit(self.tokens(), calibrator, ~self.wrong(), self.signal)

    def check_sentences(self, sentence: SentenceCalibration) -> Fit:
        """How well the probabilities of texts fit these texts."""
        return _fit(
            self.sentences(sentence.aggregation), sentence.calibrator, self.flawless(), self.signal
        )

    def counts(self) -> Counts:
        """How much there is."""
        return Counts(
            sources=len({text.group for text in self.texts}),
            texts=len(self.texts),
            texts_with_errors=int((~self.flawless()).sum()),
            tokens=sum(len(text.values) for text in self.texts),
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
    return label_signals(estimator, pairs, (signal,), groups=groups, progress=progress)[signal]


def label_signals(
    estimator: QualityEstimator,
    pairs: Sequence[Pairlike],
    signals: Sequence[Signal],
    *,
    groups: Sequence[str] | None = None,
    progress: bool = False,
) -> dict[Signal, LabelledTexts]:
    """Score pairs with ``errors`` once, with several signals, and place the errors on the tokens.

    A token is wrong if it overlaps an error, or is the first one after a gap. Without ``groups``, a
    pair belongs to its source, or to its text if it has none. Texts stay in order; those that
    cannot be scored or have no token are left out.

    Raises:
        CalibrationError: If the errors of a pair are not known.
        ValueError: If there is not one group a pair.
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
    if len(groups) != len(given):
        raise ValueError(f"`groups` must be one a pair, got {len(groups)} for {len(given)} pairs.")
    # Which texts the calibration of today knows does not matter to one of tomorrow
    scorer = estimator.scorer(signals)
    results = scorer.score_many(given, raising=False, warning=False, progress=progress)
    texts: dict[Signal, list[_Text]] = {signal: [] for signal in signals}
    for scored, pair, group in zip(results, given, groups, strict=True):
        if not isinstance(scored, InputError) and scored.text_tokens:
            for signal, text in _labelled(scored, pair, group, signals).items():
                texts[signal].append(text)
    return {signal: LabelledTexts(signal, tuple(found)) for signal, found in texts.items()}


def _labelled(
    scored: ScoredHypothesis, pair: Pair, group: str, signals: Sequence[Signal]
) -> dict[Signal, _Text]:
    errors = pair.errors or ()
    tokens = [token for token in scored.text_tokens if token.start < token.end]
    ranges = [(token.start, token.end) for token in tokens]
    wrong = token_marks(ranges, errors, pair.hypothesis).wrong
    flawless = not has_error(pair)
    categories = frozenset(error.category or _UNNAMED for error in errors)
    return {
        signal: _Text(values_of(tokens, signal), wrong, flawless, group, categories)
        for signal in signals
    }


def _fit(scores: Floats, calibrator: Calibrator, correct: Bools, signal: Signal) -> Fit:
    after = calibrator(scores)
    before = scores if signal.is_probability else None
    return Fit(
        ece_before=None if before is None else expected_calibration_error(before, correct).value,
        ece_after=expected_calibration_error(after, correct).value,
        brier_before=None if before is None else brier(before, correct).value,
        brier_after=brier(after, correct).value,
        roc_auc=roc_auc(after, correct).value,
        share_correct=float(correct.mean()) if len(correct) else None,
    )
