"""Models whose vocabulary can be split, in evaluation mode."""

import pytest
from random_language_models import random_model
from transformers import PreTrainedModel

SPLITTABLE = (
    *("llama", "llama-tied", "gpt2", "opt", "bloom", "phi", "mixtral"),
    *("gemma2", "gemma3"),  # a soft-cap; embeddings that are scaled
)


@pytest.fixture(params=SPLITTABLE)
def splittable(request: pytest.FixtureRequest) -> PreTrainedModel:
    """A model of each architecture."""
    return random_model(request.param).eval()


@pytest.fixture
def tied() -> PreTrainedModel:
    """A model with tied embeddings."""
    return random_model("llama-tied").eval()
