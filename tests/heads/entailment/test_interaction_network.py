"""The interaction network: equal to the plain formula, with every number of pairs at a time."""

import pytest
import torch
from made_heads import made_nli_head, stirred
from plain_comparison import compared

from headwise.choices import NLIFeatures
from headwise.errors import MismatchError
from headwise.heads import (
    InferenceInputs,
    InteractionNetwork,
    NLIHead,
    PairedTokens,
    TaskHeads,
    TaskHeadsConfig,
)
from headwise.heads.entailment import interaction_network

W = 10


def network(**options: float) -> InteractionNetwork:
    return stirred(InteractionNetwork(token_size=W, inner_size=6, **options))


def texts(*lengths: int) -> PairedTokens:
    """Texts of these lengths, each paired with each."""
    count = len(lengths)
    numbers = torch.arange(count)
    torch.manual_seed(7)
    return PairedTokens(
        torch.randn(sum(lengths), W),
        torch.tensor(lengths),
        numbers.repeat_interleave(count),
        numbers.repeat(count),
    )


@pytest.mark.parametrize("most", [1, 20, 10**6])
def test_values_are_those_of_one_pair_alone(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(interaction_network, "_MOST_TOKENS", most)
    module, tokens = network(), texts(4, 1, 9, 2)
    each = tokens.vectors.split(tokens.lengths.tolist())
    with torch.no_grad():
        found = module(tokens)
        for row, p, h in zip(found, tokens.premises, tokens.hypotheses, strict=True):
            torch.testing.assert_close(row, compared(module, each[p], each[h]))
    assert found.shape == (16, module.output_size)


def test_alignments_are_told_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interaction_network, "_MOST_TOKENS", 8)
    module, tokens = network(), texts(4, 1, 3)
    each = tokens.vectors.split(tokens.lengths.tolist())
    with torch.no_grad():
        found = module.read(tokens)[1]
        for row, p, h in zip(found, tokens.premises, tokens.hypotheses, strict=True):
            keys = [module.alignment(module.projection(each[number])) for number in (p, h)]
            alike = keys[0] @ keys[1].T / 6**0.5
            mine, theirs = alike.softmax(1), alike.softmax(0)
            mutual = (mine * theirs).sum()
            counts = torch.tensor(alike.shape, dtype=torch.float32)
            largest = torch.stack([mine.amax(1).mean(), theirs.amax(0).mean()])
            torch.testing.assert_close(row, torch.cat([mutual / counts, largest, counts.log()]))


def test_gradients_are_those_of_the_plain_formula() -> None:
    module, tokens = network(), texts(3, 5)
    each = tokens.vectors.split(tokens.lengths.tolist())
    plain = torch.stack(
        [
            compared(module, each[p], each[h])
            for p, h in zip(tokens.premises, tokens.hypotheses, strict=True)
        ]
    )
    weights = torch.randn_like(plain)
    expected = torch.autograd.grad((plain * weights).sum(), list(module.parameters()))
    found = torch.autograd.grad((module(tokens) * weights).sum(), list(module.parameters()))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_half_precision_tokens_are_read_as_they_are() -> None:
    module, tokens = network(), texts(4, 3)
    narrow = PairedTokens(tokens.vectors.half(), tokens.lengths, tokens.premises, tokens.hypotheses)
    with torch.no_grad():
        found = module(narrow)
    assert found.dtype == torch.float32
    with torch.no_grad():
        torch.testing.assert_close(found, module(tokens), atol=2e-2, rtol=2e-2)


def test_dropout_acts_in_training_only() -> None:
    module, tokens = network(dropout=0.5, token_dropout=0.5), texts(4, 3)
    assert torch.equal(module(tokens), module(tokens))
    module.train()
    assert not torch.equal(module(tokens), module(tokens))


def test_it_starts_again() -> None:
    torch.manual_seed(2)
    module = InteractionNetwork(token_size=W)
    first = {name: p.detach().clone() for name, p in module.named_parameters()}
    stirred(module)
    torch.manual_seed(2)
    module.reset_parameters()
    for name, parameter in module.named_parameters():
        assert torch.equal(parameter, first[name]), name


def test_other_widths_and_missing_tokens_are_refused() -> None:
    head = made_nli_head(NLIFeatures.INTERACTION, 8, W)
    with pytest.raises(ValueError, match="compares tokens"):
        head(InferenceInputs(torch.randn(4, 8)))
    wide = PairedTokens(torch.randn(4, W + 1), *(torch.tensor([2, 2]) for _ in range(3)))
    with pytest.raises(ValueError, match=f"`hidden_size` of {W}"):
        network()(wide)
    with pytest.raises(ValueError, match="`token_size`"):
        InteractionNetwork(token_size=0)


@pytest.mark.parametrize("features", ["pair", "interaction"])
def test_features_and_network_belong_together(features: str) -> None:
    kind = NLIFeatures(features)
    other = NLIFeatures.PAIR if kind.needs_tokens else NLIFeatures.INTERACTION
    config = TaskHeadsConfig(features=kind, hidden_size=W, embedding_size=W)
    head: NLIHead = made_nli_head(other, 4 * W, W)
    with pytest.raises(MismatchError, match="interaction network"):
        TaskHeads(config=config, nli=head)
