from dataclasses import replace

import numpy as np
import pytest
from scored_texts import judged_texts, scored_text
from sklearn.metrics import roc_auc_score

from headwise.data.records.signals import Signal
from headwise.errors import DataError
from headwise.evaluation import Resampling, compare
from headwise.evaluation.quality.judged_texts import as_row

QUICK = Resampling(resamples=300, workers=1)
NAMES = ("old", "new")


def rows(texts, **extra):
    return [
        as_row(replace(t.scored, extra={"gold": t.gold, **{k: v[i] for k, v in extra.items()}}),
               line=i + 1)
        for i, t in enumerate(texts)
    ]  # fmt: skip


def rescored(texts, change):
    """The same texts with other values of `sigmoid`, and no marks."""
    return [
        as_row(
            replace(t.scored, errors=None, tokens=tuple(
                replace(token, sigmoid=change(token.sigmoid)) for token in t.scored.tokens
            )),
            line=i + 1,
        )
        for i, t in enumerate(texts)
    ]  # fmt: skip


@pytest.fixture
def texts():
    return judged_texts(60, seed=5)


def test_the_better_file_is_told_from_the_worse(texts) -> None:
    rng = np.random.default_rng(0)
    noisy = rescored(texts, lambda _: float(rng.random()))
    found = compare(rows(texts), noisy, names=NAMES, resampling=QUICK)
    table = next(t for t in found.tables if t.name == "sigmoid")
    (roc_auc,) = [c for c in table.comparisons if c.metric == "roc_auc"]
    assert (roc_auc.best, roc_auc.other, roc_auc.distinguishable) == ("old", "new", True)
    wrong, scores = [], []
    for text in texts:
        marked = {error.start for error in text.scored.errors}
        wrong += [token.start in marked for token in text.scored.tokens]
        scores += [-token.sigmoid for token in text.scored.tokens]
    assert table.rows[0].metrics[0].value == pytest.approx(roc_auc_score(wrong, scores), abs=1e-9)


def test_a_file_is_not_better_than_itself(texts) -> None:
    found = compare(rows(texts), rows(texts), names=NAMES, gold="gold", resampling=QUICK)
    assert {t.name for t in found.tables} == {"sigmoid-mean", "softmax-mean", "-entropy-mean"}
    assert not any(c.distinguishable for t in found.tables for c in t.comparisons)


def test_the_gold_may_be_turned_round(texts) -> None:
    plain, turned = (
        compare(rows(texts), rows(texts), names=NAMES, gold="gold", lower_is_better=lower,
                resampling=QUICK).tables[0].rows[0].metrics[0].value
        for lower in (False, True)
    )  # fmt: skip
    assert turned == pytest.approx(-plain)


def test_texts_that_nobody_looked_at_are_left_out_and_counted(texts) -> None:
    texts[3] = replace(texts[3], scored=replace(texts[3].scored, errors=None))
    found = compare(rows(texts), rows(texts), names=NAMES, resampling=QUICK)
    assert found.notes[0].startswith("1 of 60 texts were left out")


def test_only_shared_signals_are_compared(texts) -> None:
    only = [
        replace(row, scored=replace(row.scored, signals=(Signal.SIGMOID,)),
                means={Signal.SIGMOID: row.means[Signal.SIGMOID]})
        for row in rows(texts)
    ]  # fmt: skip
    assert [t.name for t in compare(only, rows(texts), names=NAMES, resampling=QUICK).tables] == [
        "sigmoid"
    ]
    other = [as_row(scored_text(["a"], {"sigmoid": [0.5]}, source="s", extra={"gold": 1.0}), 1)]
    another = [as_row(scored_text(["a"], {"softmax": [0.5]}, source="s"), 1)]
    with pytest.raises(DataError, match=r"`old` \(sigmoid\) and `new` \(softmax\) have no signal"):
        compare(other, another, names=NAMES, gold="gold", resampling=QUICK)


def test_the_texts_must_be_the_same(texts) -> None:
    with pytest.raises(DataError, match="`old` has 60 rows and `new` has 59"):
        compare(rows(texts), rows(texts[1:]), names=NAMES)
    with pytest.raises(DataError, match="The source in line 1 of `new` is 'source 29'"):
        compare(rows(texts), rows(texts[::-1]), names=NAMES)
    with pytest.raises(DataError, match="`old` is empty"):
        compare([], [], names=NAMES)


def test_long_texts_are_shown_from_where_they_part() -> None:
    one, two = (
        [as_row(scored_text([*["same"] * 40, last], {"sigmoid": [0.5] * 41}), 1)]
        for last in ("left", "right")
    )
    with pytest.raises(DataError, match=r"is '\.\.\..*same right'.* it is '\.\.\..*same left'"):
        compare(one, two, names=NAMES)


def test_gold_is_needed(texts) -> None:
    with pytest.raises(DataError, match="`old` has no gold to compare scores with: name one of"):
        compare(rescored(texts, float), rows(texts), names=NAMES)


def test_error_marks_need_tokens(texts) -> None:
    bare = [
        replace(row, scored=replace(row.scored, tokens=()), has_tokens=False) for row in rows(texts)
    ]
    with pytest.raises(DataError, match="`new` holds no token scores"):
        compare(rows(texts), bare, names=NAMES, resampling=QUICK)
