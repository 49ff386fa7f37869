"""Error spans with severities: which confidence makes a minor one, and which a major one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwise.data.readers.scored import ScoredRow
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.scored_pieces import joined_ranges
from headwise.errors import DataError
from headwise.metrics import Metric
from headwise.metrics.inputs import Floats
from headwise.metrics.spans import (
    MAJOR,
    MINOR,
    SeveritySpan,
    agreement,
    character_counts,
    severity_span_scores,
)

# Confidences that are tried as thresholds: so many quantiles of those of the tokens
_STEPS = 40
# What raters of ESA could not agree on, and the tasks leave out
_UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Severities:
    """Where errors begin on the scale of :meth:`~headwise.data.records.signals.Signal.confidence`.

    Attributes:
        minor_below: A token below it is an error.
        major_below: A token below it is a major one.
        f1: Severity-weighted span F1 on segments that the thresholds were not chosen on, if they
            were chosen.
        f1_of_all: The same if every character there were marked as a minor error.
    """

    minor_below: float
    major_below: float
    f1: Metric | None = None
    f1_of_all: Metric | None = None

    def spans(self, scored: ScoredHypothesis) -> list[SeveritySpan]:
        """The errors of a text with tokens, in order; neighbouring tokens of a kind are one.

        Args:
            scored: A text with the signals of its tokens.
        """
        by_kind: dict[str, list[tuple[int, int]]] = {MINOR: [], MAJOR: []}
        for token, value in _confidences(scored):
            if value < self.minor_below:
                kind = MAJOR if value < self.major_below else MINOR
                by_kind[kind].append(token)
        found = [
            (start, end, kind)
            for kind, tokens in by_kind.items()
            for start, end in joined_ranges(tokens, scored.hypothesis)
            if start < end
        ]
        return sorted(found)


def gold_spans(scored: ScoredHypothesis) -> list[SeveritySpan]:
    """What people marked, as minor or major; missing text has no characters.

    Args:
        scored: A text with people's marks.
    """
    return [
        (error.start, error.end, MAJOR if error.known_severity in (MAJOR, "critical") else MINOR)
        for error in scored.errors or ()
        if error.is_error and error.severity != _UNDECIDED and error.start < error.end
    ]


def learn_severities(rows: Sequence[ScoredRow]) -> Severities:
    """The thresholds with the best severity-weighted span F1 on marked segments.

    They are chosen on all segments; the F1 that goes with them is that of thresholds that were
    chosen on every other source and measured on the rest.

    Args:
        rows: Of token level, with errors that people marked.

    Raises:
        DataError: If rows have no tokens or no marks, or nothing is marked.
    """
    for row in rows:
        if not row.has_tokens or row.scored.errors is None:
            raise DataError(
                f"Line {row.line} of the labelled segments has no "
                f"{'`annotations`' if row.has_tokens else 'tokens'}; severities are learned from "
                "marked segments that were scored with `headwise score --level token`."
            )
    texts = [row.scored for row in rows]
    if not any(map(gold_spans, texts)):
        raise DataError(
            "Nothing is marked in the labelled segments: there is no severity to learn."
        )
    sources = [text.source or text.hypothesis for text in texts]
    number = {source: place for place, source in enumerate(dict.fromkeys(sources))}
    halves: list[list[ScoredHypothesis]] = [[], []]
    for text, source in zip(texts, sources, strict=True):
        halves[number[source] % 2].append(text)
    f1 = f1_of_all = None
    if all(halves) and any(map(gold_spans, halves[0])):
        tried = _best(halves[0])
        gold = [gold_spans(text) for text in halves[1]]
        f1 = severity_span_scores([tried.spans(text) for text in halves[1]], gold).f1
        everything = [[(0, len(text.hypothesis), MINOR)] for text in halves[1]]
        f1_of_all = severity_span_scores(everything, gold).f1
    best = _best(texts)
    return Severities(best.minor_below, best.major_below, f1, f1_of_all)


def _best(texts: Sequence[ScoredHypothesis]) -> Severities:
    confidences, gold = _characters(texts)
    known = confidences[np.isfinite(confidences)]
    if not len(known):
        raise DataError("No labelled segment has a token with a score.")
    # Below a threshold, and errors are rare: the lower quantiles matter most
    levels = np.unique(np.quantile(known, np.linspace(0.0, 1.0, _STEPS + 1) ** 2))
    levels = np.append(levels, np.nextafter(levels[-1], 2.0))
    wanted = int(gold.sum())
    best, chosen = -1.0, (0.0, 0.0)
    for minor in levels:
        below = confidences < minor
        marked = int(below.sum())
        for major in levels[levels <= minor]:
            is_major = confidences < major
            predicted = np.stack([below & ~is_major, is_major]).astype(np.int64)
            f1 = 2.0 * agreement(predicted, gold) / max(marked + wanted, 1)
            if f1 > best:
                best, chosen = f1, (float(minor), float(major))
    return Severities(*chosen)


def _characters(texts: Sequence[ScoredHypothesis]) -> tuple[Floats, NDArray[np.int64]]:
    """Of all characters of texts: the confidence, infinite where there is none, and the marks."""
    confidences, marks = [], []
    for text in texts:
        length = len(text.hypothesis)
        values = np.full(length, np.inf)
        for (start, end), value in _confidences(text):
            values[start:end] = np.minimum(values[start:end], value)
        confidences.append(values)
        marks.append(character_counts(gold_spans(text), length))
    return np.concatenate(confidences), np.concatenate(marks, axis=1)


def _confidences(scored: ScoredHypothesis) -> list[tuple[tuple[int, int], float]]:
    signal = scored.signals[0]
    return [
        ((token.start, token.end), value)
        for token in scored.text_tokens
        if (value := signal.confidence(getattr(token, signal))) is not None
    ]
