"""Signals of known quality, put to each protocol."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from scored_texts import judged_texts, scored_text
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from headwise.choices import Unit
from headwise.data.records.signals import Signal
from headwise.data.records.word_tags import WordTags
from headwise.evaluation.quality.judged_texts import JudgedText
from headwise.evaluation.quality.protocols.binary import binary
from headwise.evaluation.quality.protocols.correlation import correlation
from headwise.evaluation.quality.protocols.error_detection import error_detection
from headwise.evaluation.quality.protocols.spans import spans
from headwise.evaluation.statistics.setup import Resampling, Setup, SignificanceTest

QUICK = Resampling(resamples=200)


def table(evaluation, name):
    (found,) = [t for t in evaluation.tables if t.name == name]
    return found


def row(table, label):
    (found,) = [r for r in table.rows if r.label == label]
    return found


def metric(table, label, name):
    (found,) = [m for m in row(table, label).metrics if m.name == name]
    return found


def test_correlation_equals_its_reference_and_tells_signal_from_noise() -> None:
    texts = judged_texts(300)
    found = table(correlation(texts, Setup(gold_name="da", resampling=QUICK)), "correlation")
    gold = [text.gold for text in texts]
    for signal in ("sigmoid", "softmax"):
        values = [text.scored.aggregate("mean", signal=signal) for text in texts]
        for name, reference in (("pearson", pearsonr), ("spearman", spearmanr)):
            measured = metric(found, f"{signal} mean", name)
            assert measured.value == pytest.approx(reference(values, gold).statistic, abs=1e-9)
            assert measured.low < measured.value < measured.high
            assert measured.count == 300
    best = {c.best for c in found.comparisons if c.metric == "spearman"}
    assert len(best) == 1
    assert next(iter(best)).startswith(("sigmoid", "-entropy"))
    assert not found.like_best(row(found, "softmax mean"), "spearman")
    assert not found.like_best(row(found, "random"), "spearman")


def test_the_same_signal_under_two_names_cannot_be_told_apart() -> None:
    texts = [
        replace(text, others={"twin": text.scored.aggregate("mean", signal="sigmoid")})
        for text in judged_texts(200)
    ]
    found = table(
        correlation(texts, Setup(gold_name="da", resampling=QUICK, aggregations=["mean"])),
        "correlation",
    )
    assert metric(found, "twin", "spearman") == metric(found, "sigmoid mean", "spearman")
    for comparison in found.comparisons:
        if {comparison.best, comparison.other} == {"twin", "sigmoid mean"}:
            assert not comparison.distinguishable
            assert comparison.difference == 0.0


def test_pairs_are_compared_within_a_source_if_there_are_several() -> None:
    several = correlation(judged_texts(60), Setup(gold_name="da", resampling=QUICK))
    single = correlation(judged_texts(60, per_source=1), Setup(gold_name="da", resampling=QUICK))
    names = [m.name for m in several.tables[0].rows[0].metrics]
    assert names == ["pearson", "spearman", "kendall", "prr", "acc_eq"]
    assert "acc_eq" not in [m.name for m in single.tables[0].rows[0].metrics]


def test_systems_are_ranked_if_they_are_named() -> None:
    texts = [replace(t, system=f"s{i % 3}", gold=t.gold - i % 3)
             for i, t in enumerate(judged_texts(90))]  # fmt: skip
    found = table(correlation(texts, Setup(gold_name="da", resampling=QUICK)), "systems")
    assert metric(found, "random", "system_acc").count == 3


def test_constant_gold_is_undefined_with_a_reason() -> None:
    texts = [replace(text, gold=1.0) for text in judged_texts(20)]
    found = table(correlation(texts, Setup(gold_name="da", resampling=QUICK)), "correlation")
    pearson = metric(found, "sigmoid mean", "pearson")
    assert pearson.value is None
    assert pearson.reason
    assert pearson.low is None
    assert not [c for c in found.comparisons if c.metric == "pearson"]


def test_permutation_agrees_with_bootstrap_about_plain_differences() -> None:
    texts = judged_texts(150)
    found = table(
        correlation(
            texts,
            Setup(
                gold_name="da",
                resampling=Resampling(resamples=400, test=SignificanceTest.PERMUTATION),
                aggregations=["mean"],
            ),
        ),
        "correlation",
    )
    tests = {c.test for c in found.comparisons if c.metric == "spearman"}
    assert all("permutation" in test for test in tests)
    assert not found.like_best(row(found, "random"), "spearman")


def test_binary_equals_its_references() -> None:
    texts = [replace(t, gold=float(t.gold == 0.0)) for t in judged_texts(200)]
    found = binary(texts, Setup(gold_name="ok", resampling=QUICK)).tables[0]
    labels = [text.gold for text in texts]
    values = [text.scored.aggregate("mean", signal="sigmoid") for text in texts]
    for name, reference in (
        ("roc_auc", roc_auc_score),
        ("average_precision", average_precision_score),
        ("brier", brier_score_loss),
    ):
        value = metric(found, "sigmoid mean", name).value
        assert value == pytest.approx(reference(labels, values), abs=1e-9)
    assert metric(found, "-entropy mean", "brier").reason == "The signal is no probability."


def test_binary_gold_is_0_or_1() -> None:
    texts = [replace(t, gold=0.5) for t in judged_texts(4)]
    with pytest.raises(ValueError, match=r"must be 0 or 1, got 0\.5; use the protocol `corr"):
        binary(texts, Setup(gold_name="ok", resampling=QUICK))


def test_error_detection_equals_its_references() -> None:
    texts = judged_texts(120)
    found = error_detection(texts, Setup(gold_name="people", resampling=QUICK))
    tokens = [
        (token.sigmoid, (token.start, token.end) in {(e.start, e.end) for e in t.scored.errors})
        for t in texts
        for token in t.scored.tokens
    ]
    values, wrong = np.array(tokens, dtype=float).T
    of_tokens = table(found, "tokens")
    assert metric(of_tokens, "sigmoid", "roc_auc").value == pytest.approx(
        roc_auc_score(1 - wrong, values), abs=1e-9
    )
    assert metric(of_tokens, "sigmoid", "average_precision").value == pytest.approx(
        average_precision_score(wrong, -values), abs=1e-9
    )
    assert metric(of_tokens, "sigmoid", "mcc").value > 0.3
    assert abs(metric(of_tokens, "softmax", "mcc").value) < 0.15
    assert metric(of_tokens, "sigmoid", "brier").value == pytest.approx(
        brier_score_loss(1 - wrong, values), abs=1e-9
    )
    clean = [not t.scored.errors for t in texts]
    lowest = [t.scored.aggregate("min", signal="sigmoid") for t in texts]
    assert metric(table(found, "texts"), "sigmoid min", "roc_auc").value == pytest.approx(
        roc_auc_score(clean, lowest), abs=1e-9
    )


def test_intervals_are_wider_where_texts_of_a_source_are_alike() -> None:
    """Resampling tokens as if they were independent would promise too much."""
    texts = [replace(t, group=str(i)) for i, t in enumerate(judged_texts(40, seed=2))]
    copies = [replace(t, group=t.group) for t in texts for _ in range(8)]
    alone = [replace(t, group=str(i)) for i, t in enumerate(copies)]

    def width(of):
        found = error_detection(of, Setup(gold_name="people", resampling=QUICK))
        measured = metric(table(found, "tokens"), "sigmoid", "roc_auc")
        return measured.high - measured.low

    assert width(copies) > 2 * width(alone)


def test_disagreements_are_misses_and_false_alarms() -> None:
    found = error_detection(judged_texts(80), Setup(gold_name="people", resampling=QUICK))
    assert len(found.disagreements) == 20
    assert {one.signal for one in found.disagreements} == {Signal.SIGMOID}
    assert {one.gold for one in found.disagreements} == {0.0, 1.0}
    for one in found.disagreements:
        assert ("is wrong and scores better" in one.verdict) == (one.gold == 0.0)
        assert one.marks == tuple((e.start, e.end) for e in one.scored.errors)


def test_correlation_disagreements_are_far_apart_in_rank() -> None:
    found = correlation(judged_texts(80), Setup(gold_name="da", resampling=QUICK))
    assert len(found.disagreements) == 20
    assert "Scored better than" in found.disagreements[0].verdict


def test_spans_of_a_perfect_signal_are_the_marked_ones() -> None:
    texts = judged_texts(100, noise=0.0)
    found = spans(texts, Setup(gold_name="people", resampling=QUICK)).tables[0]
    for name in ("span_precision", "span_recall", "token_span_f1"):
        # Neighbouring wrong words are one span in the prediction, with the space between them
        assert metric(found, "sigmoid", name).value > 0.9
    assert metric(found, "softmax", "token_span_f1").value < 0.5
    exact = metric(found, "sigmoid", "token_span_f1")
    assert exact.value == pytest.approx(1.0)
    assert metric(found, "sigmoid", "span_recall").value == pytest.approx(1.0)


@pytest.mark.parametrize("protocol", [error_detection, spans])
def test_texts_need_marks_and_tokens(protocol) -> None:
    text = judged_texts(1)[0]
    with pytest.raises(ValueError, match="1 of 1 texts have no error marks"):
        protocol([replace(text, scored=replace(text.scored, errors=None))], Setup(gold_name="x"))
    with pytest.raises(ValueError, match="no token scores"):
        protocol([replace(text, scored=replace(text.scored, tokens=()))], Setup(gold_name="x"))
    with pytest.raises(ValueError, match="no text"):
        protocol([], Setup(gold_name="x"))


@pytest.mark.parametrize("protocol", [correlation, binary])
def test_texts_need_gold(protocol) -> None:
    with pytest.raises(ValueError, match="2 of 2 texts have no gold"):
        protocol([replace(text, gold=None) for text in judged_texts(2)], Setup(gold_name="x"))
    with pytest.raises(ValueError, match="no text"):
        protocol([], Setup(gold_name="x"))


def test_units_that_were_asked_for_each_have_a_table() -> None:
    found = error_detection(
        judged_texts(40),
        Setup(gold_name="x", units=(Unit.WORD, Unit.TOKEN), resampling=QUICK),
    )
    assert [t.name for t in found.tables] == ["words", "tokens", "texts"]


def test_a_seed_fixes_everything() -> None:
    one, two = (
        correlation(judged_texts(50), Setup(gold_name="x", resampling=QUICK)) for _ in range(2)
    )
    assert one.as_dict() == two.as_dict()


def test_a_single_source_gives_values_and_promises_nothing() -> None:
    texts = [replace(text, group="one") for text in judged_texts(30)]
    found = table(correlation(texts, Setup(gold_name="da", resampling=QUICK)), "correlation")
    pearson = metric(found, "sigmoid mean", "pearson")
    assert pearson.value is not None
    assert pearson.low is None
    assert found.comparisons == ()


def test_neighbouring_marks_are_one_span_as_neighbouring_flags_are() -> None:
    """A perfect signal finds the marked spans to the character, spaces between words included."""
    texts = judged_texts(100, noise=0.0)
    found = spans(texts, Setup(gold_name="people", resampling=QUICK)).tables[0]
    for name in ("span_precision", "span_recall", "span_f1"):
        assert metric(found, "sigmoid", name).value == 1.0


def test_disagreements_come_from_different_sources() -> None:
    texts = judged_texts(60, per_source=6)
    for found in (
        correlation(texts, Setup(gold_name="da", resampling=QUICK)),
        error_detection(texts, Setup(gold_name="people", resampling=QUICK)),
    ):
        sources = [one.scored.source for one in found.disagreements]
        assert len(set(sources)) >= len(sources) / 2


def test_pairs_stay_within_a_source_whatever_is_resampled() -> None:
    texts = judged_texts(80)
    grouped = [replace(text, group=str(i // 20)) for i, text in enumerate(texts)]
    cut = [replace(text, group=str(i % 4)) for i, text in enumerate(texts)]
    setup = Setup(gold_name="da", resampling=QUICK)
    values = [
        metric(table(correlation(of, setup), "correlation"), "sigmoid mean", "acc_eq")
        for of in (texts, grouped, cut)
    ]
    assert len({one.value for one in values}) == 1
    assert all(one.low is not None for one in values)


def test_what_hangs_on_extremes_has_no_interval_and_no_best() -> None:
    found = table(
        correlation(judged_texts(60), Setup(gold_name="da", resampling=QUICK)), "confidence"
    )
    assert found.comparisons == ()
    assert found.unranked == {"under_confidence", "over_confidence"}
    assert metric(found, "sigmoid mean", "under_confidence").low is None


def test_a_text_with_an_omission_is_not_a_clean_one() -> None:
    tags = WordTags(((0, 2), (3, 5)), (False, False), (False, True, False))
    gap = scored_text(["w0", "w1"], {"sigmoid": [0.9, 0.9]}, wrong=[], tags=tags)
    source = scored_text(["w0"], {"sigmoid": [0.9]}, wrong=[], extra={"source_marks": 1})
    clean = scored_text(["w0"], {"sigmoid": [0.9]}, wrong=[], extra={"source_marks": 0})
    found = [JudgedText(scored=one, group="a").has_error for one in (gap, source, clean)]
    assert found == [True, True, False]


def test_the_calibrated_probability_of_a_text_has_a_column_of_its_own() -> None:
    texts = [
        replace(
            text,
            gold=float(index % 2),
            scored=replace(
                scored_text(["a", "b"], {"quality": [0.9, 0.8]}, source=str(index)),
                quality=0.7 if index % 2 else 0.3,
            ),
        )
        for index, text in enumerate(judged_texts(40))
    ]
    found = binary(texts, Setup(gold_name="ok", resampling=QUICK)).tables[0]
    assert metric(found, "quality of the text", "brier").value == pytest.approx(0.09)
    assert metric(found, "quality mean", "brier").value is None


def test_false_alarms_are_shown_where_there_is_no_error_to_miss() -> None:
    texts = [
        replace(text, scored=replace(text.scored, errors=()))
        for text in judged_texts(20, per_source=1)
    ]
    found = error_detection(texts, Setup(gold_name="people", resampling=QUICK))
    assert len(found.disagreements) == 20
    assert {one.gold for one in found.disagreements} == {1.0}
    lowest = min(token.sigmoid for text in texts for token in text.scored.tokens)
    assert found.disagreements[0].score == lowest
    scores = [one.score for one in found.disagreements]
    assert scores == sorted(scores)
