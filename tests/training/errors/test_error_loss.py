"""The loss against the plain formula, and scores by family."""

import pytest
import torch
from made_errors import MadeErrors

from headwise.heads import ErrorHead
from headwise.training.errors.loss import ClassWeights, ErrorLoss


@pytest.fixture
def head() -> ErrorHead:
    torch.manual_seed(0)
    return ErrorHead(hidden_size=8, inner_size=4).eval()


def plain(logits: torch.Tensor, labels: torch.Tensor, weights: ClassWeights) -> float:
    """Sum of weighted negative log-likelihoods, one by one."""
    total = 0.0
    for logit, label in zip(logits.double().tolist(), labels.tolist(), strict=True):
        p = 1.0 / (1.0 + torch.exp(torch.tensor(-logit)).item())
        right = torch.log(torch.tensor(p if label else 1.0 - p, dtype=torch.float64)).item()
        total -= (weights.wrong if label else weights.right) * right
    return total


@pytest.mark.parametrize("missing", [True, False])
def test_the_loss_is_that_of_both_outputs(head: ErrorHead, missing: bool) -> None:
    source = MadeErrors(7, seed=1, missing=missing)
    tokens, gaps = ClassWeights(0.5, 3.0), ClassWeights(0.8, 2.0)
    loss = ErrorLoss(
        head, source.weight, missing_weight=0.25, token_weights=tokens, gap_weights=gaps
    )
    batch = source.batch([3, 0, 5])
    total, weight = loss(batch, 0)
    logits = loss.logits(batch).detach()
    wanted = plain(logits[:, 0], batch.errors, tokens)
    if batch.missing is not None:
        wanted += 0.25 * plain(logits[:, 1], batch.missing, gaps)
    assert float(total.detach()) == pytest.approx(wanted, rel=1e-5)
    assert float(weight) == len(batch)


def test_gaps_count_where_they_are_known(head: ErrorHead) -> None:
    source = MadeErrors(9, seed=1, unknown=3)
    weights = ClassWeights(0.8, 2.0)
    loss = ErrorLoss(head, source.weight, missing_weight=0.25, gap_weights=weights)
    alone = ErrorLoss(head, source.weight, missing_weight=0.0)
    batch = source.batch(range(9))
    known = batch.missing_known
    assert 0 < int(known.sum()) < len(batch)
    gaps = float(loss(batch, 0)[0].detach()) - float(alone(batch, 0)[0].detach())
    logits = loss.logits(batch).detach()[:, 1]
    assert gaps == pytest.approx(0.25 * plain(logits[known], batch.missing[known], weights), 1e-4)


def test_what_nobody_knows_has_no_weight_and_no_score(head: ErrorHead) -> None:
    source, everything = (MadeErrors(9, seed=2, unsure=unsure) for unsure in (True, False))
    loss = ErrorLoss(head, source.weight, missing_weight=0.0)
    batch, whole = source.batch(range(9)), everything.batch(range(9))
    known = batch.errors_known
    assert (batch.errors & ~known).any()
    total, weight = loss(batch, 0)
    logits = loss.logits(batch).detach()[:, 0]
    wanted = plain(logits[known], batch.errors[known], ClassWeights())
    assert float(total.detach()) == pytest.approx(wanted, 1e-5)
    assert (float(weight), float(loss(whole, 0)[1])) == (int(known.sum()), len(whole))
    scores = loss.token_scores(batch)
    torch.testing.assert_close(scores["right"], -logits[known & ~batch.errors])
    torch.testing.assert_close(scores["marked"], -logits[known & batch.errors])


def test_what_closes_a_text_is_in_the_loss_and_in_no_score(head: ErrorHead) -> None:
    source = MadeErrors(9, seed=2, closed=True)
    loss = ErrorLoss(head, source.weight, families=["swap", None, "name"] * 3, missing_weight=0.0)
    batch = source.batch(range(9))
    assert int((batch.errors & batch.closing).sum()) > 0
    logits = loss.logits(batch).detach()[:, 0]
    total, _ = loss(batch, 0)
    assert float(total.detach()) == pytest.approx(plain(logits, batch.errors, ClassWeights()), 1e-5)
    scores = loss.token_scores(batch)
    own = ~batch.closing
    torch.testing.assert_close(scores["right"], -logits[own & ~batch.errors])
    family = torch.tensor([0, -1, 1] * 3).repeat_interleave(torch.tensor(batch.counts))
    torch.testing.assert_close(scores["swap"], -logits[own & batch.errors & (family == 0)])
    marked = ErrorLoss(head, source.weight).token_scores(batch)["marked"]
    torch.testing.assert_close(marked, -logits[own & batch.errors])


def test_scores_by_family_have_the_marked_tokens_of_their_texts(head: ErrorHead) -> None:
    source = MadeErrors(6, seed=2)
    families = ["swap", None, "name", "swap", "name", "swap"]
    loss = ErrorLoss(head, source.weight, families=families)
    order = [4, 2, 0, 1, 5]
    batch = source.batch(order)
    scores = loss.token_scores(batch)
    assert list(scores) == ["right", "name", "swap"]
    wanted = {"right": [], "name": [], "swap": []}
    flat = iter(zip((-loss.logits(batch)[:, 0]).tolist(), batch.errors.tolist(), strict=True))
    for number in order:
        for _ in range(source.counts[number]):
            score, wrong = next(flat)
            if not wrong:
                wanted["right"].append(score)
            elif families[number] is not None:
                wanted[families[number]].append(score)
    for name, values in scores.items():
        torch.testing.assert_close(values, torch.tensor(wanted[name]))


def test_without_families_wrong_tokens_are_marked_ones(head: ErrorHead) -> None:
    source = MadeErrors(4, seed=3)
    batch = source.batch([0, 1, 2, 3])
    scores = ErrorLoss(head, source.weight).token_scores(batch)
    assert {name: len(values) for name, values in scores.items()} == {
        "right": int((~batch.errors).sum()),
        "marked": int(batch.errors.sum()),
    }


def test_the_unembedding_is_no_part_of_a_checkpoint(head: ErrorHead) -> None:
    loss = ErrorLoss(head, MadeErrors(1, seed=0).weight)
    assert all(name.startswith("head.") for name in loss.state_dict())
