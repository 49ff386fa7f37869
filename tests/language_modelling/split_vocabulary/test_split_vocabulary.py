"""Splitting the vocabulary of Transformers models, and merging it again."""

from typing import Any

import pytest
import torch
from random_language_models import HIDDEN as H
from random_language_models import VOCABULARY as V
from random_language_models import random_model
from split_ids import NEW, ROUNDING, ids
from torch import Tensor, nn
from transformers import PreTrainedModel

from headwise.language_modelling.fused_loss.fused_lm_loss import patch_lm_loss
from headwise.language_modelling.split_vocabulary.split_vocabulary import (
    merge_unembedding,
    split_unembedding,
)


def written(model: PreTrainedModel) -> Tensor:
    return model.generate(
        ids(V + 5), max_new_tokens=6, do_sample=False, pad_token_id=0, eos_token_id=None
    )


def test_it_computes_what_it_did_and_what_the_merged_model_will(
    splittable: PreTrainedModel,
) -> None:
    before = splittable(ids()).logits
    old = splittable.get_input_embeddings().weight
    is_tied = splittable.get_output_embeddings().weight is old
    # Rows that differ, so that no two logits are equal but for rounding
    vocabulary = split_unembedding(splittable, new_tokens=NEW, initialise="normal")

    assert vocabulary.ranges == {
        "base": range(V),
        "new": range(V, V + 3),
        "more": range(V + 3, V + 5),
    }
    assert splittable.get_input_embeddings() is vocabulary.embeddings
    assert splittable.get_output_embeddings() is vocabulary.head
    assert vocabulary.embeddings.weights[0] is old
    for ours, theirs in zip(vocabulary.embeddings.weights, vocabulary.head.weights, strict=True):
        assert (ours is theirs) == is_tied
    assert torch.equal(splittable(ids()).logits[..., :V], before)

    everything = ids(V + 5)
    everything[0, :5] = torch.arange(V, V + 5)
    split_hidden = splittable.base_model(everything).last_hidden_state
    split = splittable(everything).logits
    split_loss = splittable(everything, labels=everything).loss
    split_text = written(splittable)
    assert split.shape[-1] == V + 5

    assert merge_unembedding(splittable) is splittable
    embeddings, head = splittable.get_input_embeddings(), splittable.get_output_embeddings()
    assert isinstance(embeddings, nn.Embedding)
    assert type(head) is nn.Linear
    assert (embeddings.num_embeddings, head.out_features) == (V + 5, V + 5)
    assert (head.weight is embeddings.weight) == is_tied
    assert splittable.config.vocab_size == V + 5
    assert torch.equal(splittable.base_model(everything).last_hidden_state, split_hidden)
    torch.testing.assert_close(splittable(everything).logits, split, **ROUNDING)
    torch.testing.assert_close(splittable(everything, labels=everything).loss, split_loss)
    assert torch.equal(written(splittable), split_text)
    splittable.tie_weights()
    torch.testing.assert_close(splittable(everything).logits, split, **ROUNDING)


def test_new_rows_are_the_mean_of_the_real_old_ones(splittable: PreTrainedModel) -> None:
    head = splittable.get_output_embeddings()
    bias = head.bias
    tables = [splittable.get_input_embeddings().weight[:41], head.weight[:41]]
    vocabulary = split_unembedding(splittable, new_tokens=4, base_size=41)
    parts = (vocabulary.embeddings.token_embedding, vocabulary.head.lm_head)
    for part, table in zip(parts, tables, strict=True):
        torch.testing.assert_close(part["new"].weight, table.mean(0).expand(4, H))
        assert torch.equal(part["base"].weight, table)
    if bias is not None:
        torch.testing.assert_close(vocabulary.head.lm_head["new"].bias, bias[:41].mean().expand(4))
    # Room for tied weights in both names, and none of the dropped rows
    assert {len(p) for p in vocabulary.embeddings.weights} == {41, 4}
    assert splittable.config.vocab_size == 45
    assert splittable(ids(45)).logits.shape[-1] == 45


def test_normal_rows_have_mean_and_deviation_of_each_coordinate() -> None:
    model = random_model()
    with torch.no_grad():
        table = model.get_input_embeddings().weight
        table.copy_(torch.randn(V, H) * torch.linspace(0.1, 3, H) + torch.arange(H))
    torch.manual_seed(5)
    vocabulary = split_unembedding(model, new_tokens=4000, initialise="normal")
    new = vocabulary.embeddings.token_embedding["new"].weight.detach()
    deviation = table.detach().std(0, correction=0)
    assert ((new.mean(0) - table.detach().mean(0)).abs() < 0.08 * deviation).all()
    torch.testing.assert_close(new.std(0), deviation, rtol=0.06, atol=0.0)
    assert len(new.unique(dim=0)) == 4000


@pytest.mark.parametrize("start", ["mean", "normal"])
def test_it_keeps_dtype_device_flags_and_padding(start: str) -> None:
    model = random_model(pad_token_id=3).to(torch.bfloat16).train()
    model.get_input_embeddings().requires_grad_(False)
    vocabulary = split_unembedding(model, new_tokens=2, initialise=start)
    tables = vocabulary.embeddings.token_embedding
    assert tables["base"].padding_idx == 3
    assert tables["new"].padding_idx is None
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert all(module.training for module in model.modules())
    assert [p.requires_grad for p in vocabulary.embeddings.weights] == [False, True]
    assert [p.requires_grad for p in vocabulary.head.weights] == [True, True]
    assert merge_unembedding(model).get_input_embeddings().padding_idx == 3

    on_meta = random_model().to("meta")
    split_unembedding(on_meta, new_tokens=2, initialise=start)
    assert all(p.is_meta for p in on_meta.parameters())
    assert merge_unembedding(on_meta).get_output_embeddings().weight.shape == (V + 2, H)


def test_gradients_are_those_of_the_merged_model(splittable: PreTrainedModel) -> None:
    splittable.train(False).requires_grad_(True)
    everything = ids(V + 5)
    everything[0, :5] = torch.arange(V, V + 5)
    vocabulary = split_unembedding(splittable, new_tokens=NEW, initialise="normal")
    splittable(everything, labels=everything).loss.backward()
    split = [torch.cat([p.grad for p in vocabulary.embeddings.weights])]
    split.append(torch.cat([p.grad for p in vocabulary.head.weights]))
    merge_unembedding(splittable).zero_grad()
    splittable(everything, labels=everything).loss.backward()
    merged = [layer.weight.grad for layer in (vocabulary_layer(splittable, i) for i in range(2))]
    for ours, theirs in zip(split, merged, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)


def vocabulary_layer(model: PreTrainedModel, place: int) -> Any:
    return (model.get_input_embeddings(), model.get_output_embeddings())[place]


def test_a_frozen_base_keeps_every_bit(splittable: PreTrainedModel) -> None:
    vocabulary = split_unembedding(splittable, new_tokens=NEW)
    base, new, more = (p.detach().clone() for p in vocabulary.embeddings.weights)
    vocabulary.freeze_base()
    trained = [p for p in splittable.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=0.1, weight_decay=0.1)
    everything = ids(V + 5)
    everything[0, :5] = torch.arange(V, V + 5)
    splittable(everything, labels=everything).loss.backward()
    assert vocabulary.embeddings.weights[0].grad is None
    assert vocabulary.head.weights[0].grad is None
    optimizer.step()
    assert torch.equal(vocabulary.embeddings.weights[0], base)
    for before, after in zip((new, more), vocabulary.embeddings.weights[1:], strict=True):
        assert (before != after).any(dim=1).all()


def test_checkpointed_gradients_reach_the_new_rows_of_a_frozen_model(
    tied: PreTrainedModel,
) -> None:
    tied.requires_grad_(False)
    vocabulary = split_unembedding(tied, new_tokens=3)
    tied.gradient_checkpointing_enable()
    tied.train()
    everything = torch.tensor([[4, V, 5, V + 1, V + 2, 6]])
    tied(everything, labels=everything).loss.backward()
    assert [p.grad is None for p in vocabulary.embeddings.weights] == [True, False]
    assert vocabulary.embeddings.weights[1].grad.abs().sum(dim=1).gt(0).all()


def test_a_head_with_biases_computes_losses() -> None:
    head = split_unembedding(random_model("phi"), new_tokens=NEW).head
    hidden, labels = torch.randn(2, 7, H), ids(V + 5)
    labels[0, 0] = -100
    expected = nn.functional.cross_entropy(
        head(hidden).flatten(0, 1), labels.flatten(), reduction="none"
    ).view(2, 7)
    torch.testing.assert_close(head(hidden, labels), expected)
    torch.testing.assert_close(head.log_probs(hidden, labels), -expected)
    biases = [layer.bias for layer in head.lm_head.values()]
    assert [len(bias) for bias in biases] == [V, 3, 2]
    grad = torch.autograd.grad(head.loss(hidden, labels), biases)
    dense = torch.autograd.grad(expected.sum() / 13, biases)
    torch.testing.assert_close(grad, dense)


def test_the_loss_without_logits_takes_it(splittable: PreTrainedModel) -> None:
    vocabulary = split_unembedding(splittable, new_tokens=NEW, initialise="normal")
    expected = splittable(ids(V + 5), labels=ids(V + 5)).loss
    expected.backward()
    dense = [p.grad for p in vocabulary.embeddings.weights]
    splittable.zero_grad()
    patch_lm_loss(splittable)
    outputs = splittable(ids(V + 5), labels=ids(V + 5))
    assert outputs.logits is None
    outputs.loss.backward()
    torch.testing.assert_close(outputs.loss, expected, rtol=1e-5, atol=1e-6)
    for grad, parameter in zip(dense, vocabulary.embeddings.weights, strict=True):
        torch.testing.assert_close(parameter.grad, grad, rtol=1e-4, atol=1e-6)
