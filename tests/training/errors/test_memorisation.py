"""Texts that a model knows by heart, and texts that it does not."""

import pytest
from tiny_models import PAIRS

from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.data.records.pairs import Pair
from headwise.training.errors import Memorisation, measure_memorisation

PROMPT = NAMED_PROMPTS["tiny"]
KNOWN = [Pair(*pair) for pair in PAIRS]
# The same sentences under each other's sources
UNKNOWN = [Pair(a, d) for (a, _), (_, d) in zip(PAIRS, PAIRS[1:] + PAIRS[:1], strict=True)]


def test_what_a_model_learned_by_heart_is_found(
    parrot: CausalBackbone, caplog: pytest.LogCaptureFixture
) -> None:
    found = measure_memorisation(parrot, KNOWN, UNKNOWN, PROMPT)
    assert found is not None
    assert found.found
    assert found.train > -0.3 > found.dev
    assert "knows them by heart, or they are easier" in caplog.text


def test_equal_texts_are_not(parrot: CausalBackbone) -> None:
    found = measure_memorisation(parrot, KNOWN, KNOWN, PROMPT)
    assert found is not None
    assert not found.found
    assert found.train == pytest.approx(found.dev)


def test_the_mean_is_that_of_each_text(parrot: CausalBackbone) -> None:
    found = measure_memorisation(parrot, KNOWN[:2], KNOWN[:2], PROMPT)
    assert found is not None
    means = []
    for pair in KNOWN[:2]:
        (code,) = parrot.encode([(pair.source, pair.hypothesis)], PROMPT)
        hidden = parrot.target_hidden([code])
        log_probs = parrot.unembedding(hidden).float().log_softmax(-1)
        means.append(sum(float(log_probs[i, t]) for i, t in enumerate(code.targets)) / len(hidden))
    assert found.train == pytest.approx(sum(means) / 2, abs=1e-4)


def test_a_small_or_uncertain_difference_is_none() -> None:
    assert not Memorisation(-1.0, -1.05, error=0.001).found
    assert not Memorisation(-1.0, -1.5, error=0.2).found
    assert Memorisation(-1.0, -1.5, error=0.1).found
    assert not Memorisation(-1.5, -1.0, error=0.01).found


def test_too_few_texts_say_nothing(parrot: CausalBackbone) -> None:
    assert measure_memorisation(parrot, KNOWN[:1], KNOWN, PROMPT) is None
