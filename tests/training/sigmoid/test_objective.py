"""Losses against their plain dense formulas: values and gradients."""

from dataclasses import replace

import pytest
import torch
from made_batches import batch_of, made_batch
from torch.nn import functional as F

from headwise.backbones import Unembedding
from headwise.features import FeatureBatch
from headwise.functional import LargestDrop, TopK, TopP
from headwise.heads import (
    HEAD_TYPES,
    ContextualSigmoidHead,
    QualityHead,
    RescalingHead,
    SigmoidHead,
    build_head,
)
from headwise.training.sigmoid.objective import (
    LossParts,
    avoided_tokens,
    full_loss,
    ranking_loss,
    sampled_loss,
)
from headwise.training.sigmoid.objective_settings import Objective
from peak_memory import peak_bytes

N, V, H, K = 13, 31, 6, 5


def made_head(kind: type[SigmoidHead] = SigmoidHead) -> SigmoidHead:
    torch.manual_seed(1)
    head = kind(vocabulary_size=V, hidden_size=H)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return head


def negatives() -> torch.Tensor:
    ids = torch.randint(0, V, (N, K), generator=torch.Generator().manual_seed(2))
    ids[3, 1] = ids[3, 0]
    ids[4] = -1
    return ids


def dense_labels(
    batch: FeatureBatch, counted: list[set[int]], objective: Objective
) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels and weights of the whole matrix, ``(N, V)`` each, entry by entry."""
    labels, weights = torch.zeros(N, V), torch.zeros(N, V)
    for row, tokens in enumerate(counted):
        target = int(batch.targets[row])
        tokens = tokens - {target, -1}
        wrong = batch.errors is not None and bool(batch.errors[row])
        if wrong:
            weights[row, target] = objective.error_weight
            continue
        labels[row, target] = 1.0
        balanced = objective.positive_weight == "balance"
        weights[row, target] = max(1, len(tokens)) if balanced else objective.positive_weight
        for token in tokens:
            weights[row, token] = 1.0
    return labels, weights


def dense_loss(
    head: QualityHead, batch: FeatureBatch, counted: list[set[int]], objective: Objective
) -> torch.Tensor:
    return loss_of_logits(head.logits(batch.hidden), batch, counted, objective)


def loss_of_logits(
    logits: torch.Tensor, batch: FeatureBatch, counted: list[set[int]], objective: Objective
) -> torch.Tensor:
    labels, weights = (x.to(logits.dtype) for x in dense_labels(batch, counted, objective))
    losses = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    return (losses * weights).sum() / weights.sum()


def exact_logits(
    parameters: dict[str, torch.Tensor], hidden: torch.Tensor, unembedding: Unembedding
) -> torch.Tensor:
    """Every head type's formula, in float64; parameters tell which head it is."""
    hidden = hidden.double()
    if (weight := parameters.get("weight")) is not None:
        logits = hidden @ weight.T
    else:
        states = hidden
        if "reduce.weight" in parameters:
            states = hidden + hidden @ parameters["reduce.weight"].T @ parameters["expand.weight"].T
        logits = unembedding.scale * states @ unembedding.weight.double().T
        if unembedding.bias is not None:
            logits = logits + unembedding.bias.double()
        if unembedding.softcap is not None:
            logits = unembedding.softcap * torch.tanh(logits / unembedding.softcap)
    bias = parameters.get("bias", 0.0)
    if "context.0.weight" in parameters:
        into, into_bias, out, out_bias = (
            parameters[f"context.{layer}.{name}"] for layer in (0, 2) for name in ("weight", "bias")
        )
        bias = bias + F.gelu(hidden @ into.T + into_bias) @ out.T + out_bias
    return parameters.get("scale", 1.0) * logits + bias


def compare(head: torch.nn.Module, parts: LossParts, expected: torch.Tensor) -> None:
    torch.testing.assert_close(parts.total / parts.weight, expected)
    ours = torch.autograd.grad(parts.total / parts.weight, list(head.parameters()))
    theirs = torch.autograd.grad(expected, list(head.parameters()))
    torch.testing.assert_close(ours, theirs)


OBJECTIVES = [Objective(), Objective(positive_weight=3.0), Objective(positive_weight="balance")]


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("errors", [False, True])
@pytest.mark.parametrize("kind", [SigmoidHead, ContextualSigmoidHead])
def test_sampled_loss_equals_the_dense_formula(
    objective: Objective, errors: bool, kind: type[SigmoidHead]
) -> None:
    batch, _ = made_batch(N, V, H, top=V, errors=errors)
    ids = negatives()
    ids[5, 2] = batch.targets[5]  # a negative that is the target counts as the target
    head = made_head(kind)
    expected = dense_loss(head, batch, [set(row) for row in ids.tolist()], objective)
    compare(head, sampled_loss(head, batch, ids, objective), expected)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("errors", [False, True])
@pytest.mark.parametrize("avoid", [None, LargestDrop(), TopK(4)])
@pytest.mark.parametrize("workspace_bytes", [600, 1500, 10_000])  # 1, 4 and all positions
def test_full_loss_equals_the_dense_formula(
    objective: Objective, errors: bool, avoid: object, workspace_bytes: int
) -> None:
    batch, _ = made_batch(N, V, H, top=V, sharpness=5.0, errors=errors)
    avoided = avoided_tokens(batch, avoid)
    head = made_head()
    counted = [set(range(V)) - set(row) for row in avoided.tolist()]
    parts = full_loss(
        head, batch, avoided, objective, vocabulary_size=V, workspace_bytes=workspace_bytes
    )
    compare(head, parts, dense_loss(head, batch, counted, objective))


@pytest.mark.parametrize("unembedding_options", [{}, {"scale": 0.5, "softcap": 4.0}], ids=str)
@pytest.mark.parametrize("errors", [False, True])
@pytest.mark.parametrize("workspace_bytes", [2000, 2**20])
@pytest.mark.parametrize("head_type", HEAD_TYPES)
def test_full_loss_of_every_head_type_equals_its_formula_in_float64(
    head_type: str, errors: bool, workspace_bytes: int, unembedding_options: dict[str, float]
) -> None:
    batch, unembedding = made_batch(N, V, H, top=V, sharpness=5.0, errors=errors)
    unembedding = replace(unembedding, bias=torch.linspace(-1, 1, V), **unembedding_options)
    head = build_head(
        head_type, vocabulary_size=V, hidden_size=H, unembedding=lambda: unembedding, rank=2
    )
    torch.manual_seed(4)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, mean=0.3, std=0.5)
    avoided, objective = avoided_tokens(batch, TopK(4)), Objective(positive_weight=3.0)
    parts = full_loss(
        head, batch, avoided, objective, vocabulary_size=V, workspace_bytes=workspace_bytes
    )
    exact = {n: p.detach().double().requires_grad_() for n, p in head.named_parameters()}
    counted = [set(range(V)) - set(row) for row in avoided.tolist()]
    expected = loss_of_logits(
        exact_logits(exact, batch.hidden, unembedding), batch, counted, objective
    )
    found = parts.total / parts.weight
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    ours = torch.autograd.grad(found, list(head.parameters()))
    theirs = torch.autograd.grad(expected, list(exact.values()))
    for own, truth in zip(ours, theirs, strict=True):
        assert float((own - truth).norm()) < 1e-5 * float(truth.norm())


@pytest.mark.parametrize("head_type", HEAD_TYPES)
def test_a_sure_target_does_not_drown_the_negatives(head_type: str) -> None:
    weight = torch.tensor([[60.0], [-12.0], [-13.0]])
    unembedding = Unembedding(weight)
    head = build_head(head_type, vocabulary_size=3, hidden_size=1, unembedding=lambda: unembedding)
    if not isinstance(head, RescalingHead):
        head.initialise_from(weight)
    batch = replace(
        batch_of(torch.ones(2, 1), unembedding, top=3), targets=torch.tensor([0, 0]), errors=None
    )
    avoided = torch.tensor([[-1], [1]])
    parts = full_loss(head, batch, avoided, Objective(), vocabulary_size=3)
    expected = F.softplus(torch.tensor([-12.0, -13.0, -13.0])).sum()
    assert parts.total.item() == pytest.approx(expected.item(), rel=1e-4)
    bias = dict(head.named_parameters()).get("bias")
    if bias is not None:
        (gradient,) = torch.autograd.grad(parts.total, bias)
        assert float(gradient) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize("head_type", HEAD_TYPES)
@pytest.mark.parametrize("case", ["all wrong", "no positions"])
def test_full_loss_without_negatives_leaves_every_parameter_a_gradient(
    head_type: str, case: str
) -> None:
    batch, unembedding = made_batch(N, V, H, top=V, errors=True)
    batch = replace(batch, errors=torch.ones(N, dtype=torch.bool))
    if case == "no positions":
        batch = batch_of(torch.zeros(0, H), unembedding, top=V, errors=True)
    head = build_head(head_type, vocabulary_size=V, hidden_size=H, unembedding=lambda: unembedding)
    avoided = avoided_tokens(batch, None)
    parts = full_loss(head, batch, avoided, Objective(), vocabulary_size=V)
    assert float(parts.weight) == Objective().error_weight * len(batch)
    own = F.softplus(head.logits(batch.hidden, batch.targets)).sum() * Objective().error_weight
    torch.testing.assert_close(parts.total, own)
    torch.testing.assert_close(
        torch.autograd.grad(parts.total, list(head.parameters())),
        torch.autograd.grad(own, list(head.parameters())),
    )


@pytest.mark.parametrize("head_type", HEAD_TYPES)
def test_every_head_type_learns_from_every_loss(head_type: str) -> None:
    batch, unembedding = made_batch(N, V, H, top=V)
    head = build_head(head_type, vocabulary_size=V, hidden_size=H, unembedding=lambda: unembedding)
    dominant = avoided_tokens(batch, TopK(3))
    for parts in (
        sampled_loss(head, batch, negatives(), Objective()),
        full_loss(head, batch, dominant, Objective(), vocabulary_size=V),
        ranking_loss(head, batch, dominant, Objective()),
    ):
        gradients = torch.autograd.grad(
            parts.total / parts.weight, list(head.parameters()), allow_unused=True
        )
        known = [gradient for gradient in gradients if gradient is not None]
        assert known
        assert any(gradient.abs().sum() > 0 for gradient in known)


@pytest.mark.parametrize("head_type", HEAD_TYPES)
def test_full_loss_stays_within_its_workspace(head_type: str) -> None:
    n, v, h, workspace = 200, 3000, 16, 500_000
    batch, unembedding = made_batch(n, v, h, top=5)
    unembedding = replace(unembedding, softcap=4.0)
    head = build_head(head_type, vocabulary_size=v, hidden_size=h, unembedding=lambda: unembedding)

    def step() -> None:
        parts = full_loss(
            head, batch, batch.top_ids, Objective(), vocabulary_size=v, workspace_bytes=workspace
        )
        parts.total.backward()

    peak, _ = peak_bytes(step)
    gradients = sum(parameter.nbytes for parameter in head.parameters())
    # Ids, weights and biases of all positions, their hidden states, and what g makes of them
    per_position = n * (8 * 64 + 4 * 4 * h + 4 * 4 * 64)
    assert workspace / 4 < peak < workspace + gradients + per_position


@pytest.mark.parametrize("errors", [False, True])
def test_ranking_loss_equals_its_formula(errors: bool) -> None:
    batch, _ = made_batch(N, V, H, top=V, errors=errors)
    head, objective = made_head(), Objective(margin=0.7)
    dominant = avoided_tokens(batch, TopK(4))
    logits, losses = head.logits(batch.hidden), []
    for row in range(N):
        if batch.errors is not None and batch.errors[row]:
            continue
        target = int(batch.targets[row])
        losses += [
            F.relu(0.7 - logits[row, target] + logits[row, rival])
            for rival in batch.top_ids[row, :4].tolist()
            if rival != target
        ]
    compare(head, ranking_loss(head, batch, dominant, objective), torch.stack(losses).mean())


def test_dominant_tokens_are_avoided_and_no_others() -> None:
    batch, _ = made_batch(N, V, H, top=V)
    assert avoided_tokens(batch, None).shape == (N, 0)
    assert avoided_tokens(batch, TopK(3)).equal(batch.top_ids[:, :3])


def test_how_many_top_tokens_an_objective_needs() -> None:
    assert Objective().top_tokens(8000) == 201  # 1 / 0.005 probabilities can exceed 0.005
    assert Objective(avoid=None).top_tokens(8000) == 128
    assert Objective(avoid=None, negatives=None).top_tokens(8000) == 1
    assert Objective(avoid=TopP(), negatives=None).top_tokens(8000) == 1024
    assert Objective(avoid=TopP(), negatives=None).top_tokens(50) == 50


@pytest.mark.parametrize(
    ("name", "value"),
    [("positive_weight", 0.0), ("error_weight", -1.0), ("margin", -0.1), ("margin_weight", -1.0)],
)
def test_impossible_weights_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Objective(**{name: value})
