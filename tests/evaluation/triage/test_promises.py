"""Promises against a simulation, and decisions against what is promised."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_triage import made_rows, write_rows

from headwise.errors import DataError
from headwise.evaluation.triage import (
    Action,
    Promise,
    Segments,
    make_promise,
    read_segments,
    savings,
    triage,
)

Segmented = Callable[..., Segments]


@pytest.fixture
def segmented(tmp_path: Path) -> Segmented:
    def read(rows: list[dict[str, Any]]) -> Segments:
        return Segments.of(read_segments([write_rows(tmp_path / "rows.jsonl", rows)]))

    return read


def test_promises_are_kept_on_segments_to_come(segmented: Segmented) -> None:
    score = segmented(made_rows(20_000, seed=1000)).column("quality")
    broken, published = 0, []
    for seed in range(40):
        promise = make_promise(segmented(made_rows(400, seed=seed)), missed=0.15)
        assert promise.publish_above is not None
        out = score > promise.publish_above
        published.append(out.mean())
        broken += bool((1.0 - score[out]).mean() > 0.15)
    # One in twenty may be; of 40, more than 5 would be so with a probability of 0.01
    assert broken <= 5
    assert np.mean(published) > 0.3


def test_one_text_without_a_probability_takes_it_from_no_other(segmented: Segmented) -> None:
    rows = made_rows(3000, seed=0)
    rows[7]["text_quality"] = None  # of nothing but markup
    labelled = segmented(rows)
    promise = make_promise(labelled, missed=0.1)
    assert promise.signal == "text_quality"
    decisions = promise.decide(labelled.column("text_quality"))
    assert decisions[7] is Action.CHECK
    assert Action.PUBLISH in decisions


def test_decisions_follow_the_lines(segmented: Segmented) -> None:
    rows = made_rows(3000, seed=0)
    labelled = segmented(rows)
    promise = make_promise(labelled, missed=0.1, wasted=0.5)
    assert promise.publish_above is not None
    assert promise.redo_below is not None
    decisions = np.array(promise.decide(labelled.column("text_quality")))
    wrong = labelled.faulty(None)
    assert wrong[decisions == Action.PUBLISH].mean() <= 0.1
    assert wrong[decisions == Action.REDO].mean() >= 0.5
    assert set(decisions) == set(Action)
    edge = np.array([promise.publish_above, promise.redo_below, np.nan, np.inf, -np.inf])
    check = Action.CHECK
    assert promise.decide(edge) == [check, check, check, Action.PUBLISH, Action.REDO]


def test_lower_is_better_for_some_signals(segmented: Segmented) -> None:
    labelled = segmented(made_rows(800, seed=0))
    first = make_promise(labelled, missed=0.1)
    other = make_promise(labelled, missed=0.1, signal="entropy")
    # Entropy orders these segments as their quality does
    assert (first.signal, other.signal) == ("text_quality", "entropy")
    both = [p.decide(labelled.column(p.signal)) for p in (first, other)]
    assert both[0] == both[1]
    (share,) = savings(labelled, labelled, first, signal="entropy", levels=[0.1])
    assert share == pytest.approx(both[0].count(Action.PUBLISH) / 800)


def test_minor_errors_may_pass_and_unknown_ones_may_not(segmented: Segmented) -> None:
    rows = made_rows(6, seed=0)
    marks: list[list[dict[str, Any]]] = [
        [],
        [{"start": 0, "end": 3, "severity": "Minor"}],
        [{"start": 0, "end": 3, "severity": "minor"}, {"start": 4, "end": 8, "severity": "MAJOR"}],
        [{"start": 0, "end": 3, "severity": "critical"}],
        [{"start": 0, "end": 3}],
        [{"start": 0, "end": 3, "severity": "neutral"}],
    ]
    for row, own in zip(rows, marks, strict=True):
        row["annotations"] = own
    segments = segmented(rows)
    assert segments.faulty("minor").tolist() == [False, True, True, True, True, False]
    assert segments.faulty("major").tolist() == [False, False, True, True, True, False]
    assert segments.faulty("critical").tolist() == [False, False, False, True, True, False]


def test_too_few_labels_promise_nothing_and_say_how_many_it_takes(segmented: Segmented) -> None:
    few, many = made_rows(150, seed=1), made_rows(5000, seed=4)
    promise = make_promise(segmented(few), missed=0.1)
    assert promise.publish_above is None
    assert promise.needed is not None
    assert f"label about {promise.needed:,} segments" in promise.said
    enough = make_promise(segmented(many[: 2 * promise.needed]), missed=0.1)
    assert enough.publish_above is not None
    found = triage(segmented(many), promise)
    assert found.count(Action.PUBLISH) == 0


def test_no_number_of_labels_makes_chance_a_promise(segmented: Segmented) -> None:
    rows = made_rows(400, seed=5)
    for number, row in enumerate(rows):
        row["annotations"] = [{"start": 0, "end": 3}] if number % 2 else []
    promise = make_promise(segmented(rows), missed=0.05)
    assert (promise.publish_above, promise.needed) == (None, None)
    assert "no number of them would: of the 40 that" in promise.said
    # Of so few that it could be an accident, nobody can tell
    few = make_promise(segmented(made_rows(60, seed=3)), missed=0.05)
    assert (few.publish_above, few.needed) == (None, None)
    assert "nor to say how many would" in few.said


def test_what_is_not_labelled_is_named(segmented: Segmented) -> None:
    rows = made_rows(20, seed=0)
    del rows[7]["annotations"]
    with pytest.raises(DataError, match=r"Line 8 of .* does not say whether anything is wrong"):
        make_promise(segmented(rows))


def test_a_promise_comes_back_and_others_are_refused(segmented: Segmented, tmp_path: Path) -> None:
    promise = make_promise(segmented(made_rows(300, seed=0)), missed=0.1, scored_by="1234")
    promise.save(tmp_path / "promise.json")
    assert Promise.load(tmp_path / "promise.json") == promise
    (tmp_path / "other.json").write_text('{"missed": 2}')
    with pytest.raises(DataError, match="is no promise of `headwise triage --save`: signal"):
        Promise.load(tmp_path / "other.json")


def test_tables_count_what_was_decided(segmented: Segmented) -> None:
    rows = made_rows(500, seed=1, system="A") + made_rows(300, seed=2, system="B")
    segments, labelled = segmented(rows), segmented(made_rows(800, seed=3))
    promise = make_promise(labelled, missed=0.1)
    found = triage(segments, promise, labelled=labelled)
    tables = {table.name: table for table in found.evaluation.tables}
    assert list(tables) == ["decisions", "promises", "signals", "by-system"]
    counts = [row.metrics[0].value for row in tables["decisions"].rows]
    assert counts == [found.count(decision) for decision in Action]
    assert sum(counts) == 800
    of_a = [d for d, row in zip(found.decisions, rows, strict=True) if row["system"] == "A"]
    (a, b) = tables["by-system"].rows
    assert (a.metrics[0].value, b.metrics[0].value) == (500, 300)
    assert a.metrics[1].value == pytest.approx(of_a.count(Action.PUBLISH) / 500)
    shares = [row.metrics[0].value for row in tables["promises"].rows]
    assert shares == sorted(shares)
    (figure,) = found.evaluation.figures
    assert [panel.label for panel in figure.panels] == ["text_quality", "quality", "entropy"]
    at = figure.panels[0].x.tolist().index(0.1)
    assert figure.panels[0].y[at] == pytest.approx(found.count(Action.PUBLISH) / 800)


def test_translations_of_one_source_weaken_the_promise(segmented: Segmented) -> None:
    rows = made_rows(300, seed=0)
    for row in rows:
        row["source"] = row["source"][:-2]
    labelled = segmented(rows)
    found = triage(labelled, make_promise(labelled, missed=0.1), labelled=labelled)
    assert any("the promise is weaker" in note for note in found.evaluation.notes)
