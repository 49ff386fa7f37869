import pytest
import torch
from made_heads import stirred
from torch.nn import functional as F

from headwise.choices import NLIFeatures
from headwise.heads import NLI_LABELS, NLIHead, NLILabel


def test_labels_stand_in_the_order_of_the_outputs() -> None:
    assert NLI_LABELS == ("entailment", "neutral", "contradiction")
    assert NLI_LABELS[2] is NLILabel.CONTRADICTION


@pytest.mark.parametrize(
    ("features", "width", "apart", "together"),
    [
        ("joint", 10, False, True),
        ("pair", 80, True, False),
        ("pair+joint", 90, True, True),
        ("interaction", 80, True, False),
    ],
)
def test_features_say_their_width_and_what_they_need(
    features: str, width: int, apart: bool, together: bool
) -> None:
    kind = NLIFeatures(features)
    assert kind.pooled_size(10, 20) == width
    assert kind.pooled_size(10) == kind.pooled_size(10, 10)
    assert (kind.needs_pair, kind.needs_joint) == (apart, together)
    assert kind.needs_tokens is (features == "interaction")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("shape", [(), (1,), (5,), (0,), (2, 3)], ids=str)
def test_logits_are_those_of_the_formula(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    head = stirred(NLIHead(input_size=7, hidden_size=9))
    features = torch.randn(*shape, 7).to(dtype)
    w1, b1, gain, shift, w2, b2 = head.parameters()

    inner = features.float() @ w1.T + b1
    inner = inner - inner.mean(-1, keepdim=True)
    inner = inner / (inner.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    inner = inner * gain + shift
    inner = inner * 0.5 * (1.0 + torch.erf(inner / 2**0.5))
    hidden, logits, alignments = head.read(features)
    assert alignments is None
    assert hidden.dtype == logits.dtype == torch.float32
    torch.testing.assert_close(hidden, inner)
    torch.testing.assert_close(logits, inner @ w2.T + b2)
    assert torch.equal(head(features), logits)
    assert torch.equal(head.hidden(features), hidden)


def test_sizes_are_the_seeds() -> None:
    head = NLIHead(input_size=1024)
    assert sum(p.numel() for p in head.parameters()) == 1024 * 512 + 512 + 2 * 512 + 512 * 3 + 3
    assert head.nli_hidden[3].p == 0.1


def test_dropout_acts_in_training_only() -> None:
    head = stirred(NLIHead(input_size=7, hidden_size=64, dropout=0.5))
    features = torch.randn(4, 7)
    assert torch.equal(head(features), head(features))
    head.train()
    assert not torch.equal(head(features), head(features))
    hidden, logits, _ = head.read(features)  # the abstention head sees what the NLI head saw
    torch.testing.assert_close(logits, F.linear(hidden, *head.nli_output.parameters()))


def test_it_starts_again_and_can_be_built_without_memory() -> None:
    torch.manual_seed(2)
    head = NLIHead(input_size=7)
    first = {name: p.detach().clone() for name, p in head.named_parameters()}
    stirred(head)
    torch.manual_seed(2)
    head.reset_parameters()
    for name, parameter in head.named_parameters():
        assert torch.equal(parameter, first[name]), name
    with torch.device("meta"):
        empty = NLIHead(input_size=7)
    assert empty.nli_output.weight.is_meta
    empty.to_empty(device="cpu").reset_parameters()
    assert empty.eval()(torch.randn(2, 7)).isfinite().all()
