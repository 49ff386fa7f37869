import pytest
import torch
from made_heads import stirred

from headwise.heads import AbstentionHead


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("shape", [(), (1,), (5,), (0,), (2, 3)], ids=str)
def test_logits_are_those_of_the_formula(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    head = stirred(AbstentionHead(hidden_size=9, inner_size=6))
    hidden, logits = torch.randn(*shape, 9).to(dtype), torch.randn(*shape, 3).to(dtype)
    w1, b1, gain, shift, w2, b2 = head.parameters()

    inner = hidden.float() @ w1[:, :9].T + logits.float() @ w1[:, 9:].T + b1
    inner = inner - inner.mean(-1, keepdim=True)
    inner = inner / (inner.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    inner = inner * gain + shift
    inner = inner * 0.5 * (1.0 + torch.erf(inner / 2**0.5))
    expected = inner @ w2.T + b2
    found = head(hidden, logits)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected)
    odds = expected[..., 1] - expected[..., 0]
    torch.testing.assert_close(head.uncertainty(hidden, logits), torch.sigmoid(odds))


def test_half_is_where_the_seed_abstains() -> None:
    head = stirred(AbstentionHead(hidden_size=9, inner_size=6))
    hidden, logits = torch.randn(200, 9), torch.randn(200, 3)
    abstain = head(hidden, logits).argmax(dim=-1) == 1
    assert 0 < abstain.sum() < 200
    assert torch.equal(head.uncertainty(hidden, logits) >= 0.5, abstain)


def test_sizes_are_the_seeds() -> None:
    head = AbstentionHead()
    assert sum(p.numel() for p in head.parameters()) == 515 * 128 + 128 + 2 * 128 + 128 * 2 + 2
    assert head.abstention_head[3].p == 0.1


def test_it_starts_again_and_can_be_built_without_memory() -> None:
    torch.manual_seed(2)
    head = AbstentionHead(hidden_size=9)
    first = {name: p.detach().clone() for name, p in head.named_parameters()}
    stirred(head)
    torch.manual_seed(2)
    head.reset_parameters()
    for name, parameter in head.named_parameters():
        assert torch.equal(parameter, first[name]), name
    with torch.device("meta"):
        empty = AbstentionHead(hidden_size=9)
    empty.to_empty(device="cpu").reset_parameters()
    assert empty.eval()(torch.randn(2, 9), torch.randn(2, 3)).isfinite().all()


def test_evidence_is_read_beside_the_logits_and_must_be_there() -> None:
    head = stirred(AbstentionHead(hidden_size=0, evidence_size=4, inner_size=6))
    logits, evidence = torch.randn(5, 3), torch.randn(5, 4)
    expected = head.abstention_head(torch.cat([logits, evidence], dim=-1))
    assert torch.equal(head(torch.randn(5, 9), logits, evidence), expected)
    with pytest.raises(ValueError, match="4 numbers of `evidence`"):
        head(torch.randn(5, 9), logits)


def test_odds_of_the_largest_probability_are_corrected() -> None:
    head = stirred(AbstentionHead(hidden_size=9, inner_size=6, corrects_odds=True))
    hidden, logits = torch.randn(200, 9), 4.0 * torch.randn(200, 3)
    error = 1.0 - logits.softmax(-1).amax(-1)
    learned = head.abstention_head(torch.cat([hidden, logits], dim=-1))
    odds = error / (1.0 - error) * (learned[:, 1] - learned[:, 0]).exp()
    torch.testing.assert_close(head.uncertainty(hidden, logits), odds / (1.0 + odds))
    # Logits so far apart that the largest probability is 1 in float32
    certain = torch.tensor([[40.0, 0.0, -40.0], [60.0, 0.0, -40.0]])
    first, second = head(torch.zeros(2, 9), certain).softmax(-1)[:, 1]
    assert first > second > 0.0


def test_training_begins_with_the_probability_itself_where_odds_are_corrected() -> None:
    head = stirred(AbstentionHead(hidden_size=9, inner_size=6, corrects_odds=True))
    head.start_from_logits()
    hidden, logits = torch.randn(50, 9), torch.randn(50, 3)
    error = 1.0 - logits.softmax(-1).amax(-1)
    torch.testing.assert_close(head.uncertainty(hidden, logits), error)
