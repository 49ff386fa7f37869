"""What cannot be split, and says so before anything is changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from adapted_layer import Adapted, Wrapped
from random_language_models import HIDDEN as H
from random_language_models import VOCABULARY as V
from random_language_models import random_model
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization
from transformers import PreTrainedModel

from headwise.errors import UnsupportedModelError
from headwise.heads import SplitLanguageModellingHead
from headwise.language_modelling.split_vocabulary.split_vocabulary import (
    merge_unembedding,
    split_unembedding,
)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: random_model("t5-tied"), "encoder.embed_tokens.weight"),
        (lambda: random_model("bert"), "cls.predictions.bias share its embeddings"),
        (lambda: random_model("mamba"), "its forward reads the weight"),
        (lambda: random_model().model, "its output layer is NoneType"),
        (lambda: nn.Linear(2, 3), "Only a Transformers model"),
    ],
)
def test_models_that_cannot_be_split_are_named(make: Callable[[], Any], message: str) -> None:
    model = make()
    before = [name for name, _ in model.named_modules()]
    with pytest.raises(UnsupportedModelError, match=message):
        split_unembedding(model, new_tokens=2)
    assert [name for name, _ in model.named_modules()] == before


def test_layers_that_cannot_be_split_are_named() -> None:
    model = random_model()
    model.lm_head = Wrapped(H, V)
    with pytest.raises(UnsupportedModelError, match="output layer is Wrapped"):
        split_unembedding(model, new_tokens=2)
    model = random_model()
    model.lm_head.weight = nn.Parameter(torch.zeros(V, H, dtype=torch.int8), requires_grad=False)
    with pytest.raises(UnsupportedModelError, match=r"Parameter of torch\.int8"):
        split_unembedding(model, new_tokens=2)
    model = random_model()
    model.model.embed_tokens._hf_hook = object()
    with pytest.raises(UnsupportedModelError, match="Accelerate"):
        split_unembedding(model, new_tokens=2)
    model = random_model()
    model.lm_head = nn.Linear(H, V + 6, bias=False)
    with pytest.raises(UnsupportedModelError, match="61 input and 67 output embeddings"):
        split_unembedding(model, new_tokens=2)
    head = split_unembedding(model, new_tokens=2, base_size=V).head
    assert isinstance(head, SplitLanguageModellingHead)
    assert head.vocabulary_size == V + 2


def test_a_split_model_is_merged_before_anything_else(tied: PreTrainedModel) -> None:
    with pytest.raises(UnsupportedModelError, match="is not split"):
        merge_unembedding(tied)
    split_unembedding(tied, new_tokens=2)
    with pytest.raises(UnsupportedModelError, match="are SplitTokenEmbeddings"):
        split_unembedding(tied, new_tokens=2)
    with pytest.raises(UnsupportedModelError, match=r"\(base, new\).*merge_unembedding"):
        tied.resize_token_embeddings(70)
    merge_unembedding(tied)
    split_unembedding(tied, new_tokens={"later": 2})
    assert tied.config.vocab_size == V + 4


class Shifted(nn.Module):
    """A parametrisation: the weight is another one."""

    def forward(self, weight: Tensor) -> Tensor:
        return weight + 1.0


def test_adapters_on_the_splits_are_merged_before_the_splits(tmp_path: Path) -> None:
    model = random_model()
    layers = split_unembedding(model, new_tokens=2).head.lm_head
    plain, layers["new"] = layers["new"], Adapted(layers["new"])
    with pytest.raises(UnsupportedModelError, match=r"Adapted.*`merge_and_unload\(\)` first"):
        merge_unembedding(model)
    with pytest.raises(UnsupportedModelError, match=r"new\.down\.weight.*merge_and_unload"):
        model.save_pretrained(tmp_path)
    assert isinstance(layers["new"], Adapted)
    layers["new"] = Wrapped(H, 2, bias=False)
    with pytest.raises(UnsupportedModelError, match="Wrapped"):
        merge_unembedding(model)
    layers["new"] = plain
    model.lm_head = Adapted(nn.Linear(H, V + 2))
    with pytest.raises(UnsupportedModelError, match="Adapted"):
        merge_unembedding(model)


def test_a_parametrised_split_is_merged_as_it_computes() -> None:
    model = random_model().eval()
    layers = split_unembedding(model, new_tokens=2).head.lm_head
    register_parametrization(layers["new"], "weight", Shifted())
    expected = model(torch.tensor([[4, 5, V]])).logits
    torch.testing.assert_close(merge_unembedding(model)(torch.tensor([[4, 5, V]])).logits, expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"new_tokens": 0}, "`new_tokens` must be a whole number of at least 1, got 0"),
        ({"new_tokens": True}, "whole number of at least 1, got True"),
        ({"new_tokens": 2.5}, r"got 2\.5"),
        ({"new_tokens": "3"}, "got '3'"),
        ({"new_tokens": None}, "got None"),
        ({"new_tokens": {}}, "at least one split"),
        ({"new_tokens": {"a": 1, "b": 0}}, r"`new_tokens\['b'\]` must be .* at least 1, got 0"),
        ({"new_tokens": {"base": 1}}, "must not name a split 'base'"),
        ({"new_tokens": {"a.b": 1}}, "no dots"),
        ({"new_tokens": 1, "base_size": 0}, "`base_size` must be .* at least 1, got 0"),
        ({"new_tokens": 1, "base_size": 50.0}, r"`base_size` must be .* got 50\.0"),
        ({"new_tokens": 1, "base_size": 62}, "`base_size` must be at most 61"),
        ({"new_tokens": 1, "base_size": 3}, "would drop the padding token, whose id is 3"),
        ({"new_tokens": 1, "initialise": "zeros"}, "one of mean, normal; got 'zeros'"),
    ],
)
def test_wrong_requests_leave_the_model_alone(options: dict[str, Any], message: str) -> None:
    model = random_model(pad_token_id=3)
    with pytest.raises(ValueError, match=message):
        split_unembedding(model, **options)
    assert type(model.lm_head) is nn.Linear
    assert model.config.vocab_size == V


def test_sizes_may_be_numpys() -> None:
    size = np.int64(50)
    ranges = split_unembedding(random_model(), new_tokens={"a": size}, base_size=size).ranges
    assert ranges == {"base": range(50), "a": range(50, 100)}
    assert all(type(limit) is int for ids in ranges.values() for limit in (ids.start, ids.stop))
