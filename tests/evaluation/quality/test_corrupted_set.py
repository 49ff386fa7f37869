from itertools import combinations

import numpy as np
import pytest

from headwise.backbones import NAMED_PROMPTS
from headwise.data.records.pairs import Pair
from headwise.data.records.signals import Signal
from headwise.evaluation.quality.corrupted_set import CorruptedSet, corrupted_set
from headwise.evaluation.quality.protocols.ambiguity import ambiguity
from headwise.evaluation.quality.protocols.spread import mean_differences
from headwise.evaluation.statistics.setup import Resampling, Setup
from headwise.quality import QualityEstimator

PAIRS = [
    Pair("Two children are playing.", "Zwei Kinder spielen."),
    Pair("Two children are playing.", "Zwei Kinder sind am Spielen."),
    Pair("Two children are playing.", "Zwei Kinder spielen."),  # the same again
    Pair("A man is sleeping on a bench.", "Ein Mann schläft auf einer Bank."),
    Pair("A man is sleeping on a bench.", "Auf einer Bank schläft ein Mann."),
    Pair("A dog is running on the beach.", "Ein Hund läuft am Strand."),
]
SIGNALS = (Signal.SIGMOID, Signal.SOFTMAX, Signal.LOGPROB)


@pytest.fixture(scope="module")
def bundled() -> QualityEstimator:
    return QualityEstimator.from_pretrained("tiny-en-de")


@pytest.fixture(scope="module")
def found(bundled: QualityEstimator) -> CorruptedSet:
    return corrupted_set(bundled, PAIRS, signals=SIGNALS, alternatives_only=True)


def test_only_sources_with_alternatives_are_kept_once(found: CorruptedSet) -> None:
    assert [t.scored.hypothesis for t in found.references] == [
        pair.hypothesis for pair in (PAIRS[0], PAIRS[1], PAIRS[3], PAIRS[4])
    ]
    assert [t.group for t in found.references] == [
        pair.source for pair in (PAIRS[0], PAIRS[1], PAIRS[3], PAIRS[4])
    ]
    assert all(text.scored.errors == () for text in found.references)


def test_every_copy_has_one_error_and_knows_its_reference(found: CorruptedSet) -> None:
    assert set(found.copies) == {"crude", "plausible", "independent"}
    assert len(found.copies["crude"]) == 4
    for family, copies in found.copies.items():
        for copy, place in zip(copies, found.originals[family], strict=True):
            assert len(copy.scored.errors) == 1 or family == "independent"
            assert copy.scored.errors
            original = found.references[place].scored
            assert copy.scored.source == original.source
            assert copy.scored.hypothesis != original.hypothesis


def test_a_reference_has_the_score_it_would_have_alone(
    found: CorruptedSet, bundled: QualityEstimator
) -> None:
    text = found.references[2].scored
    alone = bundled.score(text.source, text.hypothesis, signals=SIGNALS)
    for one, other in zip(text.tokens, alone.tokens, strict=True):
        assert one.sigmoid == pytest.approx(other.sigmoid, abs=1e-5)
        assert one.logprob == pytest.approx(other.logprob, abs=1e-4)


def test_all_texts_may_be_kept(bundled: QualityEstimator) -> None:
    all_texts = corrupted_set(bundled, PAIRS, signals=SIGNALS, families=["crude"])
    assert len(all_texts.references) == 5
    assert list(all_texts.copies) == ["crude"]


def test_texts_that_the_model_cannot_read_are_named(bundled: QualityEstimator) -> None:
    long = Pair("Two children are playing.", "Kinder " * 3000, line=7)
    made = corrupted_set(bundled, [*PAIRS, long], signals=SIGNALS, families=["crude"])
    (reject,) = made.unreadable
    assert reject.line == 7
    assert "512" in reject.reason
    assert len(made.references) == 5


def test_nothing_to_corrupt(bundled: QualityEstimator) -> None:
    with pytest.raises(ValueError, match="No source has two different references"):
        corrupted_set(bundled, PAIRS[-1:], signals=SIGNALS, alternatives_only=True)
    with pytest.raises(ValueError, match="There is no text"):
        corrupted_set(bundled, [], signals=SIGNALS)
    with pytest.raises(ValueError, match="must name crude or plausible, got 'odd'"):
        corrupted_set(bundled, PAIRS, signals=SIGNALS, families=["odd"])


def test_spread_is_the_difference_of_references_over_the_fall_of_their_copies(
    found: CorruptedSet,
) -> None:
    setup = Setup(gold_name="x", resampling=Resampling(resamples=50))
    spread = ambiguity(found, setup).tables[0]
    assert spread.name == "spread"

    def mean(text):
        return text.scored.aggregate("mean", signal="logprob")

    (row,) = [r for r in spread.rows if r.label == "logprob mean"]
    for family, copies in found.copies.items():
        apart, falls = [], []
        for source in dict.fromkeys(text.group for text in found.references):
            scores = [mean(t) for t in found.references if t.group == source]
            mine = [
                mean(found.references[place]) - mean(copy)
                for copy, place in zip(copies, found.originals[family], strict=True)
                if copy.group == source
            ]
            if mine:
                apart.append(np.mean([abs(a - b) for a, b in combinations(scores, 2)]))
                falls.append(np.mean(mine))
        measured = {m.name: m for m in row.metrics}[f"spread_per_{family}_error"]
        assert measured.count == len(falls)
        if measured.value is None:  # a few falls may be explained by chance
            assert np.mean(falls) <= 3 * np.std(falls) / len(falls) ** 0.5
        else:
            assert measured.value == pytest.approx(np.sum(apart) / np.sum(falls), rel=1e-9)


def test_the_mean_difference_does_not_grow_with_the_number_of_references() -> None:
    rng = np.random.default_rng(0)
    for size in (2, 3, 10):
        groups = np.repeat(np.arange(2000), size)
        found = mean_differences(rng.normal(size=len(groups)), groups)
        assert found.mean() == pytest.approx(2 / np.pi**0.5, rel=0.05)
    values, groups = np.array([3.0, 1.0, 7.0, 5.0]), np.array([0, 0, 0, 1])
    assert mean_differences(values, groups).tolist() == pytest.approx([4.0, 0.0])


def test_copies_of_texts_without_a_source_belong_to_their_originals(
    bundled: QualityEstimator,
) -> None:
    raw = QualityEstimator(bundled.backbone, bundled.head, prompt=NAMED_PROMPTS["raw"])
    alone = [Pair(None, pair.hypothesis) for pair in PAIRS]
    made = corrupted_set(raw, alone, signals=SIGNALS)
    assert len({text.group for text in made.texts}) == len(made.references) == 5
    for family, copies in made.copies.items():
        for copy, place in zip(copies, made.originals[family], strict=True):
            assert copy.group == made.references[place].group
    with pytest.raises(ValueError, match="No source has two"):
        corrupted_set(raw, alone, signals=SIGNALS, alternatives_only=True)


def test_ambiguity_has_tables_for_tokens_and_texts_of_all_families(found: CorruptedSet) -> None:
    evaluation = ambiguity(found, Setup(gold_name="x", resampling=Resampling(resamples=50)))
    assert [table.name for table in evaluation.tables] == [
        "spread", "tokens-crude", "texts-crude", "tokens-plausible", "texts-plausible",
        "tokens-independent", "texts-independent",
    ]  # fmt: skip


def test_a_signal_that_knows_the_errors_beats_the_random_one_everywhere(
    found: CorruptedSet,
) -> None:
    """Softmax of the bundled model on sentences of its own domain."""
    evaluation = ambiguity(found, Setup(gold_name="x", resampling=Resampling(resamples=50)))
    for table in evaluation.tables:
        if table.name.startswith("tokens"):
            (row,) = [r for r in table.rows if r.label == "softmax"]
            (area,) = [m for m in row.metrics if m.name == "roc_auc"]
            assert area.value > 0.7
