import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headwise.errors import MismatchError
from headwise.functional import LM_IGNORE_INDEX
from headwise.heads.split_language_modelling_head import SplitLanguageModellingHead
from headwise.heads.split_token_embeddings import SplitTokenEmbeddings

H, V = 6, 17
SIZES = {"new": 3, "base": 10, "none": 0, "more": 4}
ORDER = ("base", "none", "new", "more")


def made(
    sizes: Mapping[str, int] = SIZES, order: Sequence[str] = ORDER, **options: Any
) -> SplitLanguageModellingHead:
    torch.manual_seed(0)
    return SplitLanguageModellingHead(
        split_vocab_size=sizes, split_order=order, hidden_size=H, **options
    )


def embeddings(
    sizes: Mapping[str, int] = SIZES, order: Sequence[str] = ORDER, hidden_size: int = H
) -> SplitTokenEmbeddings:
    return SplitTokenEmbeddings(split_vocab_size=sizes, split_order=order, hidden_size=hidden_size)


def one_weight(head: SplitLanguageModellingHead) -> Tensor:
    return torch.cat([weight.detach() for weight in head.weights]).requires_grad_()


def dense_logits(hidden: Tensor, weight: Tensor, softcap: float | None) -> Tensor:
    logits = hidden.float() @ weight.float().T
    return logits if softcap is None else softcap * torch.tanh(logits / softcap)


def batch(*shape: int, ignored: bool = True) -> tuple[Tensor, Tensor]:
    torch.manual_seed(7)
    hidden, labels = 3.0 * torch.randn(*shape, H), torch.randint(0, V, shape)
    if ignored:
        labels.view(-1)[::3] = LM_IGNORE_INDEX
    return hidden.requires_grad_(), labels


@pytest.mark.parametrize("softcap", [None, 2.0])
@pytest.mark.parametrize("shape", [(5,), (2, 7), (2, 3, 4), (0,), (2, 0)], ids=str)
def test_losses_and_gradients_are_those_of_joined_weights(
    shape: tuple[int, ...], softcap: float | None
) -> None:
    head = made(softcap=softcap)
    hidden, labels = batch(*shape)
    plain, weight = hidden.detach().clone().requires_grad_(), one_weight(head)
    found = head(hidden, labels)
    logits = dense_logits(plain, weight, softcap)
    expected = F.cross_entropy(logits.view(-1, V), labels.view(-1), reduction="none").view(shape)
    assert found.shape == labels.shape
    assert found.dtype == torch.float32
    assert not found[labels == LM_IGNORE_INDEX].any()
    torch.testing.assert_close(found, expected)
    upstream = torch.randn(shape)
    found.backward(upstream)
    expected.backward(upstream)
    torch.testing.assert_close(hidden.grad, plain.grad)
    gradients = torch.cat([weight.grad for weight in head.weights if len(weight)])
    torch.testing.assert_close(gradients, weight.grad)


@pytest.mark.parametrize("softcap", [None, 2.0])
def test_log_probs_and_logits_are_those_of_joined_weights(softcap: float | None) -> None:
    head = made(softcap=softcap)
    hidden, labels = batch(3, 5)
    logits = dense_logits(hidden, one_weight(head), softcap)
    torch.testing.assert_close(head(hidden), logits)
    torch.testing.assert_close(head.logits(hidden), logits)
    kept = labels != LM_IGNORE_INDEX
    expected = logits.log_softmax(-1).gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(head.log_probs(hidden, labels), expected.where(kept, 0.0))


def test_the_loss_takes_the_options_of_linear_cross_entropy() -> None:
    head = made(softcap=3.0)
    hidden, labels = batch(2, 6)
    logits = dense_logits(hidden, one_weight(head), 3.0)
    expected = F.cross_entropy(logits.view(-1, V), labels.view(-1))
    torch.testing.assert_close(head.loss(hidden, labels), expected)
    expected = F.cross_entropy(
        logits[:, :-1].reshape(-1, V),
        labels[:, 1:].reshape(-1),
        reduction="sum",
        label_smoothing=0.1,
    )
    found = head.loss(hidden, labels, shift=True, reduction="sum", label_smoothing=0.1)
    torch.testing.assert_close(found, expected)
    output = head.loss(hidden, labels, return_logsumexp=True)
    kept = labels != LM_IGNORE_INDEX
    torch.testing.assert_close(output.logsumexp[kept], logits.logsumexp(-1)[kept])


def test_all_labels_ignored_give_zeros() -> None:
    head = made()
    hidden, labels = batch(2, 3)
    head.loss(hidden, torch.full_like(labels, LM_IGNORE_INDEX)).backward()
    assert not hidden.grad.any()
    assert all(not weight.grad.any() for weight in head.weights if weight.grad is not None)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_frozen_splits_get_no_gradient(reduction: str) -> None:
    head = made()
    hidden, labels = batch(2, 6)
    weight = one_weight(head)
    head.freeze("base", "none")
    head.loss(hidden, labels, reduction=reduction).sum().backward()
    logits = dense_logits(hidden.detach(), weight, None).view(-1, V)
    F.cross_entropy(logits, labels.view(-1), reduction=reduction).sum().backward()
    base, _, new, more = head.weights
    assert base.grad is None
    torch.testing.assert_close(new.grad, weight.grad[10:13])
    torch.testing.assert_close(more.grad, weight.grad[13:])
    head.unfreeze("base")
    assert base.requires_grad
    assert not head.weights[1].requires_grad
    with pytest.raises(ValueError, match="no split named 'old'"):
        head.unfreeze("old")


def test_tied_weights_sum_both_gradients() -> None:
    torch.manual_seed(1)
    table, head = embeddings(), made()
    head.tie_to(table)
    assert all(a is b for a, b in zip(head.weights, table.weights, strict=True))
    ids, labels = torch.randint(0, V, (2, 5)), torch.randint(0, V, (2, 5))
    weight = torch.cat([w.detach() for w in table.weights]).requires_grad_()
    head.loss(table(ids), labels).backward()
    logits = F.embedding(ids, weight) @ weight.T
    F.cross_entropy(logits.view(-1, V), labels.view(-1)).backward()
    gradients = torch.cat([w.grad for w in table.weights if len(w)])
    torch.testing.assert_close(gradients, weight.grad)
    # The embeddings draw what both use
    before = weight.detach().clone()
    head.reset_parameters()
    assert torch.equal(torch.cat(head.weights), before)
    model = nn.ModuleDict({"embeddings": table, "head": head})
    other = copy.deepcopy(model)
    assert other["head"].weights[0] is other["embeddings"].weights[0]
    assert other["head"].weights[0] is not head.weights[0]
    head.freeze("base")
    assert not table.weights[0].requires_grad


@pytest.mark.parametrize(
    "other",
    [
        embeddings(order=("new", "base", "none", "more")),
        embeddings({**SIZES, "base": 11}),
        embeddings(hidden_size=H + 1),
        embeddings({"base": 10}, ["base"]),
    ],
    ids=["order", "sizes", "hidden size", "splits"],
)
def test_other_splits_are_not_tied(other: SplitTokenEmbeddings) -> None:
    with pytest.raises(MismatchError, match="the same splits in the same order"):
        made().tie_to(other)


def test_half_precision_keeps_float32_losses() -> None:
    head = made().bfloat16()
    hidden, labels = batch(4, 8)
    hidden = hidden.detach().bfloat16().requires_grad_()
    found = head(hidden, labels)
    logits = dense_logits(hidden, one_weight(head), None)
    expected = F.cross_entropy(logits.view(-1, V), labels.view(-1), reduction="none")
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected.view(4, 8), rtol=3e-2, atol=3e-2)
    found.sum().backward()
    assert hidden.grad.dtype == head.weights[0].grad.dtype == torch.bfloat16
    assert head.logits(hidden).dtype == torch.bfloat16


def test_autocast_keeps_float32_losses() -> None:
    head = made()
    hidden, labels = batch(2, 4)
    exact = head(hidden, labels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = head(hidden, labels)
        assert head(hidden).dtype == torch.bfloat16
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, exact, rtol=3e-2, atol=6e-2)
    found.sum().backward()
    assert hidden.grad.isfinite().all()


def test_an_empty_split_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made().reset_parameters()


def test_a_softcap_that_bounds_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`softcap` must be above 0, or None, got 0\.0"):
        made(softcap=0.0)


def test_state_dicts_are_exchanged_with_d9d() -> None:
    # The names that d9d's SplitLanguageModellingHead gives to these splits
    theirs = {"lm_head.orig.weight": torch.randn(5, H), "lm_head.special.weight": torch.randn(2, H)}
    ours = made({"special": 2, "orig": 5}, ["orig", "special"])
    ours.load_state_dict(theirs)
    torch.testing.assert_close(
        ours.logits(torch.eye(H)).T, torch.cat(list(theirs.values())), rtol=0, atol=0
    )
    d9d = nn.Module()
    d9d.lm_head = nn.ModuleDict(
        {"orig": nn.Linear(H, 5, bias=False), "special": nn.Linear(H, 2, bias=False)}
    )
    d9d.load_state_dict(ours.state_dict())
    assert torch.equal(d9d.lm_head["orig"].weight, theirs["lm_head.orig.weight"])


def test_ids_of_splits_are_known() -> None:
    head = made()
    assert head.vocabulary_size == V
    assert head.split_ranges == embeddings().split_ranges
    assert [len(weight) for weight in head.weights] == [10, 0, 3, 4]
    assert "new=[10, 13)" in repr(head)


def test_a_copy_has_weights_of_its_own() -> None:
    head = made()
    hidden, labels = batch(3)
    other = copy.deepcopy(head)
    assert torch.equal(other(hidden, labels), head(hidden, labels))
    other.reset_parameters()
    assert not torch.equal(other(hidden, labels), head(hidden, labels))


def test_compiled_code_gives_the_same_loss() -> None:
    head = made(softcap=2.0)
    hidden, labels = batch(2, 4)
    found = torch.compile(head, backend="eager")(hidden, labels)
    torch.testing.assert_close(found, head(hidden, labels))
    found.sum().backward()
    assert hidden.grad.any()
