"""Severities that are learned from marks of people."""

from pathlib import Path
from typing import Any

import pytest
from made_token_rows import marked_rows, token_row, write_lines

from headwise.data.readers.scored import ScoredRow, read_scored_rows
from headwise.data.records.scored import ScoredHypothesis
from headwise.evaluation.shared_tasks import Severities, gold_spans, learn_severities
from headwise.metrics.spans import severity_span_scores


def read(path: Path) -> list[ScoredRow]:
    return list(read_scored_rows(path))


def test_severities_are_learned_from_marks(tmp_path: Path) -> None:
    found = learn_severities(read(write_lines(tmp_path / "a.jsonl", marked_rows(60, seed=0))))
    assert found.minor_below == pytest.approx(0.6, abs=0.05)
    assert found.major_below == pytest.approx(0.2, abs=0.05)
    assert found.f1 is not None
    assert found.f1.value is not None
    assert found.f1.value > 0.85
    assert found.f1.count == 30
    assert found.f1_of_all is not None
    assert found.f1_of_all.value is not None
    assert 0.3 < found.f1_of_all.value < 0.8
    rows = read(write_lines(tmp_path / "b.jsonl", marked_rows(60, seed=1)))
    others = [row.scored for row in rows]
    spans = [found.spans(one) for one in others]
    score = severity_span_scores(spans, [gold_spans(one) for one in others]).f1.value
    assert score == pytest.approx(found.f1.value, abs=0.08)


def test_neighbours_of_a_kind_are_one_span() -> None:
    row = token_row(list("abcde"), [0.1, 0.15, 0.4, 0.9, 0.3])
    scored = ScoredHypothesis.from_dict(row)
    assert Severities(0.5, 0.2).spans(scored) == [
        (0, 3, "major"),
        (4, 5, "minor"),
        (8, 9, "minor"),
    ]
    assert Severities(0.0, 0.0).spans(scored) == []


def test_marks_of_people_become_minor_or_major(tmp_path: Path) -> None:
    marks: list[dict[str, Any]] = [
        {"start": 0, "end": 1, "severity": "Critical"},
        {"start": 2, "end": 3, "severity": "neutral"},
        {"start": 4, "end": 5},
        {"start": 4, "end": 4, "severity": "major"},
    ]
    rows = [token_row(list("abc"), [0.5] * 3, marks=marks)]
    (one,) = read(write_lines(tmp_path / "a.jsonl", rows))
    assert gold_spans(one.scored) == [(0, 1, "major"), (4, 5, "minor")]
