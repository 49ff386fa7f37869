"""What cannot be split, and says so before anything is changed."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from models_to_split import SIZES, H, V, llama
from torch import nn
from transformers import (
    BertConfig,
    BertLMHeadModel,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

from headwise.errors import UnsupportedModelError
from headwise.heads import SplitLanguageModellingHead
from headwise.training.language_modelling.split_vocabulary import (
    merge_unembedding,
    split_unembedding,
)


@pytest.fixture
def tied() -> PreTrainedModel:
    torch.manual_seed(0)
    return llama(tie_word_embeddings=True)


def t5() -> T5ForConditionalGeneration:
    sizes = {"d_model": H, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}
    return T5ForConditionalGeneration(T5Config(**sizes, vocab_size=V))


def bert() -> BertLMHeadModel:
    sizes = {name: value for name, value in SIZES.items() if name != "num_key_value_heads"}
    return BertLMHeadModel(BertConfig(**sizes, is_decoder=True))


class Wrapped(nn.Linear):
    """As LoRA and quantisation have it."""


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (t5, "encoder.embed_tokens.weight"),
        (bert, "cls.predictions.bias share its embeddings"),
        (
            lambda: MambaForCausalLM(MambaConfig(hidden_size=H, num_hidden_layers=1, vocab_size=V)),
            "its forward reads the weight",
        ),
        (lambda: llama().model, "its output layer is NoneType"),
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
    model = llama()
    model.lm_head = Wrapped(H, V)
    with pytest.raises(UnsupportedModelError, match="output layer is Wrapped"):
        split_unembedding(model, new_tokens=2)
    model = llama()
    model.lm_head.weight = nn.Parameter(torch.zeros(V, H, dtype=torch.int8), requires_grad=False)
    with pytest.raises(UnsupportedModelError, match=r"Parameter of torch\.int8"):
        split_unembedding(model, new_tokens=2)
    model = llama()
    model.model.embed_tokens._hf_hook = object()
    with pytest.raises(UnsupportedModelError, match="Accelerate"):
        split_unembedding(model, new_tokens=2)
    model = llama()
    model.lm_head = nn.Linear(H, V + 6, bias=False)
    with pytest.raises(UnsupportedModelError, match="50 input and 56 output embeddings"):
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
        tied.resize_token_embeddings(60)
    merge_unembedding(tied)
    split_unembedding(tied, new_tokens={"later": 2})
    assert tied.config.vocab_size == V + 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"new_tokens": 0}, "at least 1 in every split, got 0"),
        ({"new_tokens": {}}, "at least 1 in every split"),
        ({"new_tokens": {"a": 1, "b": 0}}, "at least 1 in every split"),
        ({"new_tokens": {"base": 1}}, "must not name a split 'base'"),
        ({"new_tokens": {"a.b": 1}}, "no dots"),
        ({"new_tokens": 1, "base_size": 0}, r"must lie in \[1, 50\]"),
        ({"new_tokens": 1, "base_size": 51}, r"must lie in \[1, 50\]"),
        ({"new_tokens": 1, "base_size": 3}, "would drop the padding token, whose id is 3"),
        ({"new_tokens": 1, "initialise": "zeros"}, "one of mean, normal; got 'zeros'"),
    ],
)
def test_wrong_requests_leave_the_model_alone(options: dict[str, Any], message: str) -> None:
    model = llama(pad_token_id=3)
    with pytest.raises(ValueError, match=message):
        split_unembedding(model, **options)
    assert type(model.lm_head) is nn.Linear
    assert model.config.vocab_size == V
