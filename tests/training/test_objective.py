"""Losses against their plain dense formulas: values and gradients."""

import pytest
import torch
from made_batches import made_batch
from torch.nn import functional as F

from headwise.features import FeatureBatch
from headwise.functional import LargestDrop, TopK, TopP
from headwise.heads import ContextualSigmoidHead, QualityHead, SigmoidHead, build_head
from headwise.heads.head_types import HEAD_TYPES
from headwise.training.objective import (
    LossParts,
    Objective,
    avoided_tokens,
    full_loss,
    ranking_loss,
    sampled_loss,
)

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
    labels, weights = dense_labels(batch, counted, objective)
    losses = F.binary_cross_entropy_with_logits(head.logits(batch.hidden), labels, reduction="none")
    return (losses * weights).sum() / weights.sum()


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
@pytest.mark.parametrize("rows", [1, 4, 100])
def test_full_loss_equals_the_dense_formula(
    objective: Objective, errors: bool, avoid: object, rows: int
) -> None:
    batch, _ = made_batch(N, V, H, top=V, sharpness=5.0, errors=errors)
    avoided = avoided_tokens(batch, avoid)
    head = made_head()
    counted = [set(range(V)) - set(row) for row in avoided.tolist()]
    parts = full_loss(
        head, batch, avoided, objective, vocabulary_size=V, workspace_bytes=16 * V * rows
    )
    compare(head, parts, dense_loss(head, batch, counted, objective))


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
