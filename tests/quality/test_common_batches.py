"""Pairs of requests that ask for different things share a pass, and keep their own numbers."""

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import pytest
from torch import Tensor

from headwise import QualityEstimator
from headwise.backbones import EncodedPair
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.quality import scorer as scorers
from headwise.quality.common_batches import ToScore, scored_batches

TEXTS = ["Ein Hund.", "Zwei Hunde spielen im Park.", "Ja.", "Die Katze schläft auf dem Sofa."]
WISHES: list[dict[str, Any]] = [
    {"signals": ["quality"]},
    {"signals": ["softmax", "rank"], "alternatives": 3},
    {"signals": ["sigmoid"]},
    {"signals": ["error", "omission"]},
]


@pytest.fixture(scope="module")
def bundled() -> QualityEstimator:
    return QualityEstimator.from_pretrained("tiny-en-de")


def items_of(estimator: QualityEstimator) -> list[ToScore]:
    made = [estimator.scorer(**wishes) for wishes in WISHES]
    pairs = [Pair("A dog.", text) for text in TEXTS for _ in made]
    found = []
    for number, pair in enumerate(pairs):
        scorer = made[number % len(made)]
        (code,) = scorer.encode([pair])
        assert isinstance(code, EncodedPair)
        found.append(ToScore(scorer, pair, code))
    return found


def scored_in_order(items: Sequence[ToScore]) -> list[ScoredHypothesis]:
    found = {
        place: one
        for places, batch in scored_batches(items)
        for place, one in zip(places, batch, strict=True)
    }
    return [found[place] for place in range(len(items))]


def test_each_has_the_numbers_that_it_has_alone(bundled: QualityEstimator) -> None:
    items = items_of(bundled)
    for item, scored in zip(items, scored_in_order(items), strict=True):
        (alone,) = item.scorer.score_window([item.pair])
        assert isinstance(alone, ScoredHypothesis)
        assert (scored.hypothesis, scored.signals) == (item.pair.hypothesis, alone.signals)
        found, expected = scored.as_dict("token"), alone.as_dict("token")
        assert found["signals"] == pytest.approx(expected["signals"], abs=1e-6)
        for token, other in zip(found["tokens"], expected["tokens"], strict=True):
            assert token.keys() == other.keys()
            names = item.scorer.request.signals
            assert [token.get(n) for n in names] == pytest.approx(
                [other.get(n) for n in names], abs=1e-6
            )


def test_the_model_runs_once_and_the_vocabulary_for_those_who_ask(
    bundled: QualityEstimator,
) -> None:
    items = items_of(bundled)
    passes: list[int] = []
    positions: list[int] = []
    backbone = type(bundled.backbone)
    read, statistics = backbone.target_hidden, scorers.vocabulary_statistics

    def target_hidden(self: Any, codes: Sequence[EncodedPair], **options: Any) -> Tensor:
        passes.append(len(codes))
        return read(self, codes, **options)

    def vocabulary_statistics(hidden: Tensor, *others: Any, **options: Any) -> Any:
        positions.append(len(hidden))
        return statistics(hidden, *others, **options)

    with (
        patch.object(backbone, "target_hidden", target_hidden),
        patch.object(scorers, "vocabulary_statistics", vocabulary_statistics),
    ):
        scored_in_order(items)
    assert sum(passes) == len(items)
    asked = [item for item in items if item.scorer.runs_vocabulary]
    assert 0 < len(asked) < len(items)
    assert sum(positions) == sum(len(item.encoded.targets) for item in asked)


def test_nothing_is_no_batch() -> None:
    assert scored_in_order([]) == []
