"""How near words are by the rows of a model's input embedding."""

import pytest
import torch

from headwise.backbones import CausalBackbone
from headwise.backbones.word_vectors import WordVectors
from headwise.bundled.examples import example_pairs
from headwise.quality import QualityEstimator


@pytest.fixture(scope="module")
def tiny() -> CausalBackbone:
    backbone = QualityEstimator.from_pretrained("tiny-en-de").backbone
    assert isinstance(backbone, CausalBackbone)
    return backbone


def test_similarity_is_the_cosine_of_mean_rows_less_the_mean_of_all(tiny: CausalBackbone) -> None:
    rows = tiny.model.get_input_embeddings().weight.detach().double()

    def vector(word: str) -> torch.Tensor:
        ids = tiny.tokenizer(f" {word}", add_special_tokens=False)["input_ids"]
        return rows[ids].mean(0) - rows.mean(0)

    vectors = WordVectors(tiny)
    wanted = torch.cosine_similarity(vector("Hund"), vector("Katze"), dim=0)
    assert vectors.similarity("Hund", "Katze") == pytest.approx(float(wanted), abs=1e-5)
    assert vectors.similarity("Hund", "Hund") == pytest.approx(1.0)
    assert vectors.similarity("Hund", "") == 0.0


def test_what_is_usual_lies_between_random_words(tiny: CausalBackbone) -> None:
    vectors = WordVectors(tiny)
    words = sorted({w for pair in example_pairs() for w in pair.hypothesis.split() if w.isalpha()})
    shares = [vectors.usual(words, share=share) for share in (0.1, 0.5, 0.9)]
    assert shares == sorted(shares)
    assert -1.0 <= shares[0] < shares[2] <= 1.0
    only = vectors.similarity("Hund", "Ball")
    assert vectors.usual(["Hund", "Ball", "Hund"], share=0.5) == pytest.approx(only)
    assert vectors.usual(["Hund"], share=0.5) is None
