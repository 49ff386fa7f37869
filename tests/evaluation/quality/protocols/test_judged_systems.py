"""Systems, error-free texts, references and slices, with numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr
from scored_texts import judged_texts, scored_text
from sklearn.metrics import f1_score, roc_auc_score

from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError
from headwise.evaluation.quality.judged_texts import JudgedText
from headwise.evaluation.quality.protocols.binary import binary
from headwise.evaluation.quality.protocols.correlation import columns_of, gold_of
from headwise.evaluation.quality.protocols.error_detection import error_detection
from headwise.evaluation.quality.protocols.references import references
from headwise.evaluation.quality.protocols.spans import spans
from headwise.evaluation.quality.protocols.systems import systems_ranked
from headwise.evaluation.quality.reference_rows import apart, is_reference
from headwise.evaluation.quality.slices import sliced, slices_of
from headwise.evaluation.statistics.measures import against
from headwise.evaluation.statistics.setup import Resampling, Setup
from headwise.metrics import spearman

SETUP = Setup(
    gold_name="esa", aggregations=["mean"], resampling=Resampling(resamples=40, workers=1)
)


def in_table(tables, name, signal="score"):
    (found,) = [t for t in tables if t.name == name]
    (row,) = [r for r in found.rows if r.signal == signal]
    return {metric.name: metric for metric in row.metrics}


def ranked(texts, setup=SETUP):
    return systems_ranked(texts, columns_of(texts, setup), gold_of(texts), setup)


def text(source, system, score, gold=None, **extra):
    scored = scored_text(["w"], {}, source=source, extra={**extra})
    return JudgedText(scored=scored, group=source, gold=gold, system=system,
                      others={"score": score})  # fmt: skip


def systems(count=30, names=("a", "b", "c", "refA")):
    """The scores order a, b and c as the gold does; people's translations score lowest."""
    rng = np.random.default_rng(0)
    best = {"a": 3, "b": 2, "c": 1, "refA": 4}
    return [
        text(f"s{i}", name, -5.0 if name == "refA" else best[name] + rng.normal(0, 0.1),
             best[name] * 10.0 + rng.normal())
        for i in range(count) for name in names
    ]  # fmt: skip


def test_people_are_ranked_as_systems_by_choice() -> None:
    tables, (figure,) = ranked(systems())
    found = in_table(tables, "systems")
    assert found["system_acc"].value == found["system_acc"].low == 1.0
    assert found["system_kendall"].value == 1.0
    assert found["spa"].value == pytest.approx(1.0, abs=0.01)
    assert [row.signal for row in tables[1].rows] == ["a", "b", "c"]
    assert {panel.label: len(panel.x) for panel in figure.panels}["score"] == 3
    tables, _ = ranked(systems(), replace(SETUP, rank_references=True))
    with_people = in_table(tables, "systems")["system_acc"]
    assert (with_people.value, with_people.count) == (0.5, 6)  # three of six pairs have refA


def test_systems_are_compared_on_the_sources_that_all_have() -> None:
    texts = [*systems(), text("alone", "c", 1e6, 0.0)]
    tables, _ = ranked(texts)
    assert in_table(tables, "systems")["system_acc"].value == 1.0
    assert "these 30 sources; 1 texts of other sources were left out." in tables[0].note
    no_source = [replace(t, scored=replace(t.scored, source=None)) for t in texts]
    found = in_table(ranked(no_source)[0], "systems")
    assert found["system_acc"].value < 1.0
    assert "spa" not in found
    assert ranked(systems(names=("a", "refA"))) == ((), ())


def test_decisions_about_texts_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    texts = [text(f"s{i}", None, good + rng.normal(0, 0.8), float(good))
             for i, good in enumerate(rng.integers(0, 2, 120))]  # fmt: skip
    found = in_table(binary(texts, SETUP).tables, "binary")
    assert -1 <= found["mcc"].value <= 1
    scores, gold = np.array([t.others["score"] for t in texts]), [t.gold for t in texts]
    # One threshold for all is close to those of five folds
    best = max(f1_score(gold, scores >= cut) for cut in scores)
    assert found["f1_right"].value == pytest.approx(best, abs=0.1)
    assert "ece" not in found  # no signal here is a probability


def of_references(bad_score=0.0):
    """Two references that score 1 and 0.8 (0.9 and 0.9 of the second source), and an output."""
    return [
        text("x", "refA", 1.0), text("x", "refB", 0.8), text("x", "mt", bad_score, 20.0),
        text("y", "refA", 0.9), text("y", "refB", 0.9), text("y", "mt", 0.5, 30.0),
        text("z", "refA", 0.1), text("z", "refB", 0.9), text("z", "mt", 0.7, 90.0),
        text("u", "refA", 0.1), text("u", "mt", 0.7, 0.0),
    ]  # fmt: skip


def test_the_spread_of_references_over_the_fall_of_worse_outputs() -> None:
    found = references(of_references(), replace(SETUP, below=50.0))
    row = in_table(found.tables, "references")
    # Apart by 0.2 and 0; falls of 0.9 and 0.4; the good output of z counts nowhere
    assert row["spread_per_worse_output"].value == pytest.approx(0.2 / 1.3)
    assert row["spread_per_worse_output"].count == 2
    assert row["below_all"].value == 1.0
    assert row["fall"].value > 0
    between = references(of_references(0.85), replace(SETUP, below=50.0))
    assert in_table(between.tables, "references")["below_all"].value == 0.5
    assert "1 sources were left out" in found.notes[-1]
    assert len(found.disagreements) == 3


@pytest.mark.parametrize(
    ("texts", "below", "message"),
    [
        (of_references(), 5.0, "No output has a gold .* below 5, the lowest is 20"),
        (systems(3), 5.0, "No source has two references and an output"),
        (systems(3, ("a", "b")), 5.0, "No text is a reference: name the columns"),
    ],
)
def test_what_references_lack_is_named(texts, below, message) -> None:
    with pytest.raises(ValueError, match=message):
        references(texts, replace(SETUP, below=below))


@pytest.mark.parametrize("name", ["ref", "refA", "REF-B", "ref.C.en-de", "reference_1", "ref2"])
def test_names_of_references(name) -> None:
    assert is_reference(name)
    assert not is_reference(f"x{name}")


@pytest.mark.parametrize("name", [None, "Reflect", "refiner-7b", "reformer", "mt"])
def test_names_of_systems(name) -> None:
    assert not is_reference(name)


def test_references_in_columns_become_rows() -> None:
    row = Pair("s", "mt", 4, {"ref_1": "one", "ref_2": "", "z": -1})
    found = apart([row, Reject(5, "bad", "x")], ())
    assert [(p.hypothesis, p.line, p.extra) for p in found[:2]] == [
        ("mt", 4, {"z": -1, "system": "output"}),
        ("one", 4, {"z": -1, "system": "ref_1"}),
    ]
    assert len(found) == 3
    (only,) = apart([Pair("s", "mt", 4, {"human": "one"})], ())
    assert only.extra == {"human": "one"}
    assert len(apart([Pair("s", "mt", 4, {"human": "one"})], ("human",))) == 2
    with pytest.raises(DataError, match="no column `people`"):
        apart([row], ("people",))


def test_slices_are_the_metric_of_their_texts_alone() -> None:
    texts = [
        replace(t, scored=replace(t.scored, extra={"domain": "ab"[i % 3 > 0]}))
        for i, t in enumerate(judged_texts(90, per_source=1))
    ]
    setup = replace(SETUP, by="domain")
    own = {name: [t for t in texts if t.scored.extra["domain"] == name] for name in "ba"}
    gold, columns = gold_of(texts), columns_of(texts, setup)
    tables = sliced(
        texts, columns, lambda inside: against(gold[inside], spearman.weighted), setup,
        groups=np.arange(90), metric="Spearman correlation",
    )  # fmt: skip
    found = in_table(tables, "slices", "sigmoid")
    assert list(found) == ["b", "a"]  # the larger one first
    for name, metric in found.items():
        values = [t.scored.aggregate("mean", signal="sigmoid") for t in own[name]]
        assert metric.value == pytest.approx(spearmanr(values, gold_of(own[name]))[0])
        assert metric.count == len(own[name])
        assert metric.low < metric.value < metric.high
    words = in_table(error_detection(texts, setup).tables, "slices", "sigmoid")
    wrong, values = [], []
    for one in own["a"]:
        marked = {error.start for error in one.scored.errors}
        wrong += [token.start in marked for token in one.scored.tokens]
        values += [-token.sigmoid for token in one.scored.tokens]
    assert words["a"].value == pytest.approx(roc_auc_score(wrong, values))
    of_spans, alone = (
        in_table(spans(of, replace(setup, by=by, threshold=0.5)).tables, name, "sigmoid")
        for of, by, name in ((texts, "domain", "slices"), (own["a"], None, "spans"))
    )
    assert of_spans["a"].value == alone["span_f1"].value


def with_rows(values):
    return [
        replace(t, scored=replace(t.scored, extra=row))
        for row, t in zip(values, judged_texts(len(values)), strict=True)
    ]


def test_numbers_are_sliced_into_quarters() -> None:
    texts = with_rows([{"words": i, "rater": i % 3} for i in range(40)])
    assert slices_of(texts, "words").names == ("0 to 9", "10 to 19", "20 to 29", "30 to 39")
    assert slices_of(texts, "rater").names == ("0", "1", "2")
    lengths = slices_of(texts, "length")
    assert lengths.names == ("3", "4", "5", "6", "7", "8")
    assert [lengths.names[i] for i in lengths.of_texts] == [
        str(len(t.scored.tokens)) for t in texts
    ]
    many = slices_of(with_rows([{"by": f"s{i // 2}"} for i in range(28)] + [{}]), "by")
    assert len(many.names) == 12
    assert many.remark == " 5 texts have another by, or none."


@pytest.mark.parametrize(
    ("by", "message"),
    [("domain", "`domain` makes no slices: all texts have x"), ("nope", "no column `nope`")],
)
def test_a_column_that_makes_no_slices_is_named(by, message) -> None:
    with pytest.raises(ValueError, match=message):
        slices_of(with_rows([{"domain": "x"}, {"domain": "x"}]), by)
