"""Severity-weighted agreement against a plain count, character by character."""

import numpy as np
import pytest

from headwise.metrics.spans import (
    SeveritySpan,
    severity_span_scores,
    severity_span_statistics,
)


def drawn(random: np.random.Generator) -> list[SeveritySpan]:
    places = np.sort(random.integers(0, 30, (int(random.integers(0, 4)), 2)), axis=1)
    return [(int(a), int(b), ("minor", "major")[int(random.integers(2))]) for a, b in places]


def plain_credit(predicted: list[SeveritySpan], gold: list[SeveritySpan]) -> float:
    """Each mark of a character looks for one of its severity, and what is left for any."""
    credit = 0.0
    for place in range(30):
        marks = [[s for a, b, s in spans if a <= place < b] for spans in (predicted, gold)]
        for mark in list(marks[0]):
            if mark in marks[1]:
                marks[0].remove(mark)
                marks[1].remove(mark)
                credit += 1.0
        credit += 0.5 * min(map(len, marks))
    return credit


def test_it_is_the_plain_count() -> None:
    random = np.random.default_rng(0)
    predicted, gold = ([drawn(random) for _ in range(60)] for _ in range(2))
    credit = sum(plain_credit(*pair) for pair in zip(predicted, gold, strict=True))
    sizes = [sum(b - a for spans in side for a, b, _ in spans) for side in (predicted, gold)]
    found = severity_span_scores(predicted, gold)
    assert found.precision.value == pytest.approx(credit / sizes[0])
    assert found.recall.value == pytest.approx(credit / sizes[1])
    assert found.f1.value == pytest.approx(2 * credit / sum(sizes))
    # Texts of weight 0 are not there
    half = np.array([[1.0, 0.0] * 30])
    weighted = severity_span_statistics(predicted, gold)[2](half)[0]
    assert weighted == pytest.approx(severity_span_scores(predicted[::2], gold[::2]).f1.value)


def test_a_wrong_severity_is_half_right() -> None:
    gold: list[list[SeveritySpan]] = [[(0, 4, "major")]]
    assert severity_span_scores([[(0, 4, "minor")]], gold).f1.value == 0.5
    assert severity_span_scores([[(0, 4, "major")]], gold).f1.value == 1.0
    nothing = severity_span_scores([[]], [[]])
    assert nothing.f1.value is None
    assert nothing.recall.reason == "The gold marks no character."


@pytest.mark.parametrize("span", [(3, 1, "minor"), (-1, 1, "minor"), (0, 1, "critical")])
def test_what_is_no_span_is_refused(span: SeveritySpan) -> None:
    with pytest.raises(ValueError, match="must hold \\(start, end, severity\\)"):
        severity_span_scores([[span]], [[]])
    with pytest.raises(ValueError, match="an entry on both sides, got 1 of `predicted` and 0"):
        severity_span_scores([[]], [])
