import copy
import math
import pickle
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize, prune

from headwise.errors import MismatchError, UninitialisedError, UnsupportedModelError
from headwise.functional import LM_IGNORE_INDEX, LinearCrossEntropyOutput
from headwise.heads import SplitLanguageModellingHead, SplitTokenEmbeddings, materialise

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
    found = head.log_probs(hidden, labels)
    torch.testing.assert_close(found, expected.where(kept, 0.0))
    assert all(math.copysign(1.0, value) == 1.0 for value in found[~kept].tolist())


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
    assert isinstance(output, LinearCrossEntropyOutput)
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
    head.freeze("base")
    assert not table.weights[0].requires_grad


def tied_model(*order: str, bias: bool = False) -> nn.ModuleDict:
    table, head = embeddings(), made(bias=bias)
    head.tie_to(table)
    return nn.ModuleDict({name: {"embeddings": table, "head": head}[name] for name in order})


@pytest.mark.parametrize("order", [("embeddings", "head"), ("head", "embeddings")], ids=str)
@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model)), copy.copy],
    ids=["deepcopy", "pickle", "copy"],
)
def test_a_copy_of_both_is_tied_as_they_are(
    copied: Callable[[nn.ModuleDict], nn.ModuleDict], order: tuple[str, ...]
) -> None:
    model = tied_model(*order)
    other = copied(copied(model))
    head, table = other["head"], other["embeddings"]
    assert head.tied
    assert model["head"].tied
    assert all(a is b for a, b in zip(head.weights, table.weights, strict=True))
    assert (head.weights[0] is model["head"].weights[0]) == (copied is copy.copy)
    before = torch.cat(head.weights).detach().clone()
    head.reset_parameters()
    assert torch.equal(torch.cat(head.weights), before)


def test_a_shallow_copy_of_the_embeddings_takes_no_tie_away() -> None:
    model = tied_model("embeddings", "head")
    copy.copy(model["embeddings"])
    assert model["head"].tied


def test_a_head_that_was_copied_alone_draws_its_own_weights() -> None:
    model = tied_model("embeddings", "head")
    head = copy.deepcopy(model["head"])
    assert not head.tied
    assert torch.equal(head.weights[0], model["head"].weights[0])
    torch.manual_seed(0)
    head.reset_parameters()
    assert torch.equal(torch.cat(head.weights), torch.cat(made().weights))
    # The same, when nothing but the head is left of the model
    left = model.pop("head")
    assert left.tied
    del model
    assert not left.tied


def test_to_empty_breaks_the_tie_and_the_head_draws_its_own_weights() -> None:
    with torch.device("meta"):
        model = tied_model("embeddings", "head", bias=True)
    assert model["head"].tied
    model.to_empty(device="cpu")
    assert not model["head"].tied
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(4.6e19)
    torch.manual_seed(0)
    model["head"].reset_parameters()
    expected = made(bias=True).state_dict()
    torch.testing.assert_close(model["head"].state_dict(), expected, rtol=0, atol=0)
    # Half a tie leaves half of the weights to the embeddings
    head, table = model["head"], model["embeddings"]
    head.lm_head["base"].weight = table.token_embedding["base"].weight
    head.reset_parameters()
    assert not head.tied
    assert (head.weights[0] == 4.6e19).all()
    assert (head.weights[2] < 1.0).all()


def test_assigned_state_dicts_break_the_tie() -> None:
    model = tied_model("embeddings", "head")
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.load_state_dict(state)
    assert model["head"].tied
    model.load_state_dict(state, assign=True)
    assert not model["head"].tied


def test_tied_heads_draw_their_biases() -> None:
    with torch.device("meta"):
        model = tied_model("embeddings", "head", bias=True)
    head = materialise(model, device="cpu")["head"]
    assert head.tied
    for bias in head.biases:
        assert (bias.abs() <= H**-0.5).all()
    assert head.biases[0].unique().numel() == 10


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


def test_a_table_without_splits_is_not_tied() -> None:
    with pytest.raises(TypeError, match=r"SplitTokenEmbeddings .* got torch\.nn\..*\.Embedding"):
        made().tie_to(nn.Embedding(V, H))


class Adapted(nn.Module):
    """As PEFT wraps layers: it looks like the layer and adds something."""

    def __init__(self, base_layer: nn.Linear) -> None:
        super().__init__()
        self.base_layer = base_layer
        self.weight, self.bias = base_layer.weight, base_layer.bias

    def forward(self, hidden: Tensor) -> Tensor:
        return self.base_layer(hidden) + 1.0


def adapt(layers: nn.ModuleDict) -> None:
    layers["new"] = Adapted(layers["new"])


def replace_forward(layers: nn.ModuleDict) -> None:
    layers["new"].forward = Adapted(layers["new"]).forward


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (adapt, r"'new' is .*\.Adapted, .*`target_modules`.*`merge_and_unload\(\)`"),
        (
            lambda layers: prune.l1_unstructured(layers["new"], "weight", 2),
            "'new' has forward hooks",
        ),
        (lambda layers: layers["base"].register_forward_hook(print), "'base' has forward hooks"),
        (replace_forward, "'new' has forward hooks, or a forward of its own"),
        (lambda layers: layers.update({"new": nn.Linear(H, 3)}), r"'new' is .*linear\.Linear,"),
    ],
    ids=["adapter", "pruning", "hook", "forward", "another layer"],
)
def test_what_losses_would_not_see_is_refused(
    change: Callable[[nn.ModuleDict], object], message: str
) -> None:
    head = made()
    hidden, labels = batch(2, 3)
    change(head.lm_head)
    for refused in (head, head.loss, head.log_probs):
        with pytest.raises(UnsupportedModelError, match=message):
            refused(hidden, labels)


def test_logits_go_through_whatever_sits_on_a_split() -> None:
    head, (hidden, _) = made(), batch(2, 3)
    plain = head.logits(hidden)
    adapt(head.lm_head)
    torch.testing.assert_close(head(hidden)[..., 10:13], plain[..., 10:13] + 1.0)
    torch.testing.assert_close(head(hidden)[..., :10], plain[..., :10])


class Doubled(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return 2.0 * weight


def test_parametrised_splits_are_seen() -> None:
    head, (hidden, labels) = made(), batch(2, 3)
    parametrize.register_parametrization(head.lm_head["new"], "weight", Doubled())
    logits = head.logits(hidden)
    assert torch.equal(head.weights[2], 2.0 * head.lm_head["new"].parametrizations.weight.original)
    expected = F.cross_entropy(logits.view(-1, V), labels.view(-1))
    loss = head.loss(hidden, labels)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert head.lm_head["new"].parametrizations.weight.original.grad.any()


@pytest.mark.parametrize("shape", [(), (H + 1,), (2, 3, H - 1)], ids=str)
def test_hidden_states_of_another_width_are_refused(shape: tuple[int, ...]) -> None:
    hidden = torch.zeros(shape)
    for call in (made(), made().loss, made().log_probs):
        with pytest.raises(ValueError, match=r"`hidden_size` of 6 as H, got \("):
            call(hidden, torch.zeros(shape[:-1], dtype=torch.int64))
    with pytest.raises(ValueError, match=r"`hidden_size` of 6 as H, got \("):
        made()(hidden)


def test_a_head_without_values_says_how_to_get_some() -> None:
    with torch.device("meta"):
        head = made()
        assert head(torch.zeros(2, H)).shape == (2, V)
    hidden, labels = batch(2)
    for call in (head.logits, lambda hidden: head(hidden, labels)):
        with pytest.raises(UninitialisedError, match=r"on cpu; call .*materialise"):
            call(hidden)


def test_numpys_integers_are_sizes() -> None:
    head = made({"a": np.int64(3), "b": np.uint8(2)}, ["a", "b"])
    assert head.split_ranges == {"a": range(3), "b": range(3, 5)}
    assert type(head.split_ranges["b"].stop) is int


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
