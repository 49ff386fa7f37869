"""Answers, uncertainties and abstentions of known quality, put to the protocol."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, roc_auc_score

from headwise.evaluation.entailment.judged_pairs import JudgedInference, judged_arrays
from headwise.evaluation.entailment.overlap_slices import overlap_slices
from headwise.evaluation.entailment.protocol import entailment
from headwise.evaluation.statistics.results import FigureKind
from headwise.evaluation.statistics.setup import Resampling, Setup
from headwise.heads import NLI_LABELS, NLILabel

SETUP = Setup(gold_name="people", resampling=Resampling(resamples=120, workers=1))


def a_pair(premise: str, hypothesis: str, label: str = "entailment") -> JudgedInference:
    return JudgedInference(
        premise=premise,
        hypothesis=hypothesis,
        label=NLILabel(label),
        probabilities=(0.6, 0.3, 0.1),
        uncertainty=0.4,
        abstain=False,
        group=premise,
    )


def judged_pairs(count: int = 300) -> list[JudgedInference]:
    """Calibrated probabilities, and an own uncertainty that is a noisy copy of their largest."""
    rng = np.random.default_rng(0)
    found = []
    for index in range(count):
        probabilities = rng.dirichlet([0.5] * 3)
        doubt = float(np.clip(1 - probabilities.max() + 0.1 * rng.normal(), 0, 1))
        one = a_pair(f"Premise {index // 2}", f"Hypothesis {index}")
        found.append(
            replace(
                one,
                label=NLI_LABELS[rng.choice(3, p=probabilities)],
                probabilities=tuple(probabilities.tolist()),
                uncertainty=doubt,
                abstain=doubt >= 0.35,
            )
        )
    return found


@pytest.fixture(scope="module")
def pairs():
    return judged_pairs()


@pytest.fixture(scope="module")
def found(pairs):
    return entailment(pairs, SETUP, abstain_by="learned")


def values(evaluation, name):
    (table,) = [table for table in evaluation.tables if table.name == name]
    return {row.label: {m.name: m for m in row.metrics} for row in table.rows}


def test_answers_equal_their_reference(found, pairs) -> None:
    arrays = judged_arrays(pairs)
    model = values(found, "classification")["model"]
    assert model["accuracy"].value == accuracy_score(arrays.gold, arrays.predicted)
    assert model["macro_f1"].value == pytest.approx(
        f1_score(arrays.gold, arrays.predicted, average="macro"), abs=1e-12
    )
    assert model["accuracy"].low < model["accuracy"].value < model["accuracy"].high
    assert "150 groups" in model["accuracy"].interval
    of_class = f1_score(arrays.gold, arrays.predicted, average=None)
    classes = values(found, "classes")
    for label, expected in zip(NLI_LABELS, of_class, strict=True):
        assert classes[label]["f1"].value == pytest.approx(expected, abs=1e-12)
    counted = values(found, "confusion")
    total = sum(m.value for row in counted.values() for m in row.values())
    right = sum(counted[label][f"answered_{label}"].value for label in NLI_LABELS)
    assert right / total == pytest.approx(model["accuracy"].value)


def test_uncertainties_are_compared(found, pairs) -> None:
    arrays = judged_arrays(pairs)
    table = values(found, "abstention")
    assert list(table) == ["learned", "max_probability", "entropy", "margin", "random"]
    wrong = ~arrays.correct
    for name, doubt in (("learned", arrays.uncertainty), ("max_probability", -arrays.confidence)):
        assert table[name]["roc_auc"].value == pytest.approx(roc_auc_score(wrong, doubt), abs=1e-4)
        assert table[name]["average_precision"].value == pytest.approx(
            average_precision_score(wrong, doubt), abs=1e-3
        )
    assert table["max_probability"]["aurc"].value < table["random"]["aurc"].value
    surest = np.argsort(arrays.uncertainty)[:240]
    assert table["learned"]["selective_accuracy_80"].value == pytest.approx(
        arrays.correct[surest].mean()
    )
    calibration = values(found, "calibration")
    assert set(calibration) == {"learned", "max_probability"}
    assert calibration["max_probability"]["ece"].value < 0.1


def test_decisions_are_those_of_the_model_and_of_as_many_answers(found, pairs) -> None:
    arrays = judged_arrays(pairs)
    table = values(found, "decisions")
    assert {row["coverage"].value for row in table.values()} == {arrays.answered.mean()}
    model = table["learned"]
    right = arrays.correct[arrays.answered].mean()
    assert model["selective_accuracy"].value == pytest.approx(right)
    assert model["selective_risk"].value == pytest.approx(1 - right)
    assert model["f1_wrong"].value == pytest.approx(f1_score(~arrays.correct, ~arrays.answered))
    for row in table.values():
        for metric in row.values():
            assert metric.low <= metric.value <= metric.high


@pytest.mark.parametrize("own", ["max_probability", "entropy", "margin"])
def test_a_model_without_a_learned_uncertainty_has_no_row_twice(pairs, own) -> None:
    found = entailment(pairs, SETUP, abstain_by=own)
    names = list(values(found, "abstention"))
    assert names[0] == own
    assert sorted(names) == ["entropy", "margin", "max_probability", "random"]


@pytest.mark.parametrize(("abstains", "which"), [(False, "no pair"), (True, "every pair")])
def test_without_a_decision_there_is_no_table_of_them(pairs, abstains, which) -> None:
    same = [replace(one, abstain=abstains) for one in pairs[:40]]
    found = entailment(same, SETUP, abstain_by="learned")
    assert all(table.name != "decisions" for table in found.tables)
    assert any(which in note for note in found.notes)
    (confusion,) = [f for f in found.figures if f.kind is FigureKind.CONFUSION]
    assert [panel.label for panel in confusion.panels] == ["all pairs"]


def test_only_right_answers_leave_undefined_what_needs_wrong_ones() -> None:
    pairs = [a_pair(f"P {i}", "h") for i in range(8)]
    found = entailment(pairs, SETUP, abstain_by="learned")
    learned = values(found, "abstention")["learned"]
    assert learned["roc_auc"].value is None
    assert learned["selective_accuracy_80"].value == 1.0
    assert found.mistakes == ()
    with pytest.raises(ValueError, match="no pair"):
        entailment([], SETUP, abstain_by="learned")


def test_the_surest_mistakes_are_shown_one_a_premise(found, pairs) -> None:
    arrays = judged_arrays(pairs)
    assert len(found.mistakes) == 20
    assert len({one.premise for one in found.mistakes}) == 20
    shown = [one.confidence for one in found.mistakes]
    assert shown == sorted(shown, reverse=True)
    assert shown[0] == arrays.confidence[~arrays.correct].max()
    assert all(one.gold != one.predicted for one in found.mistakes)


def members(pairs, **options) -> dict[str, list[int]]:
    found = overlap_slices(pairs, **options)
    return {one.name: np.flatnonzero(one.members).tolist() for one in found}


def test_a_slice_is_measured_over_its_own_pairs() -> None:
    pairs = [replace(one, hypothesis=one.premise) for one in judged_pairs(60)[:40]]
    pairs += judged_pairs(60)[40:]
    arrays = judged_arrays(pairs)
    table = values(entailment(pairs, SETUP, abstain_by="learned"), "slices")
    for one in overlap_slices(pairs):
        measured = table[one.name]
        assert measured["pairs"].value == measured["accuracy"].count == one.members.sum()
        assert measured["accuracy"].value == pytest.approx(arrays.correct[one.members].mean())
        assert measured["coverage"].value == pytest.approx(arrays.answered[one.members].mean())
    assert 0 < table["lexical overlap, entailed"]["accuracy"].count < 40


def test_slices_are_those_of_the_heuristics() -> None:
    pairs = [
        a_pair("The dog near the cat slept.", "the cat slept"),
        a_pair("The dog near the cat slept .", "The cat near the dog slept.", "neutral"),
        a_pair("The dog near the cat slept.", "It rained.", "contradiction"),
        a_pair(
            "The dog is asleep.",
            "The dog isn\N{RIGHT SINGLE QUOTATION MARK}t asleep",
            "contradiction",
        ),
        a_pair("The dog is asleep.", "The dog is n't awake"),
        a_pair("No dog is asleep.", "No dog is not asleep", "neutral"),
    ]
    found = members(pairs)
    assert found["all pairs"] == [0, 1, 2, 3, 4, 5]
    assert found["lexical overlap, entailed"] == [0]
    assert found["lexical overlap, not entailed"] == [1]
    assert found["subsequence, entailed"] == [0]
    assert "subsequence, not entailed" not in found
    assert found["negation only in the hypothesis (en), contradicted"] == [3]
    assert found["negation only in the hypothesis (en), not contradicted"] == [4]
    assert not any("negation" in name for name in members(pairs, language=None))
    german = members([a_pair("Ein Hund.", "Kein Hund.", "contradiction")], language="de")
    assert german["negation only in the hypothesis (de), contradicted"] == [0]
    with pytest.raises(ValueError, match="one of en, de"):
        overlap_slices(pairs, language="fr")


def test_quarters_hold_the_lowest_and_the_highest_shares() -> None:
    words = list("abcdefgh")
    pairs = [a_pair(" ".join(words[:n]), " ".join(words), "neutral") for n in range(1, 9)]
    found = members(pairs)
    assert found["at most 34% of words shared, not entailed"] == [0, 1]
    assert found["at least 78% of words shared, not entailed"] == [6, 7]
