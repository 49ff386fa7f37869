import pytest
import torch
from torch import Tensor

from headwise.backbones import Unembedding
from headwise.heads import QualityHead, RescaledSigmoidHead, RescalingHead, SigmoidHead

V, H = 37, 12
HEADS = ["sigmoid", "rescaling", "both"]


def make_head(kind: str, *, hidden_size: int = H) -> QualityHead:
    """A head with parameters that are not those of the start."""
    torch.manual_seed(3)
    head: QualityHead
    if kind == "sigmoid":
        return SigmoidHead(vocabulary_size=V, hidden_size=hidden_size)
    if kind == "rescaling":
        weight, bias = torch.randn(V, hidden_size), torch.randn(V)
        head = RescalingHead(unembedding=Unembedding(weight, bias=bias, scale=0.5, softcap=4.0))
    else:
        head = RescaledSigmoidHead(vocabulary_size=V, hidden_size=hidden_size)
    with torch.no_grad():
        head.scale.fill_(0.7)
        head.bias.fill_(-0.3)
    return head


def by_the_book(head: QualityHead, hidden: Tensor) -> Tensor:
    if isinstance(head, RescalingHead):
        layer = head._unembedding
        logits = 4.0 * torch.tanh((0.5 * hidden.float() @ layer.weight.T + layer.bias) / 4.0)
    else:
        logits = hidden.float() @ head.weight.T
    scale, bias = getattr(head, "scale", 1.0), getattr(head, "bias", 0.0)
    return torch.sigmoid(scale * logits + bias)


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (0,), (2, 0), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("kind", HEADS)
def test_chosen_tokens_score_as_in_the_full_vocabulary(kind: str, shape: tuple[int, ...]) -> None:
    head = make_head(kind)
    hidden = torch.randn(*shape, H)
    expected = by_the_book(head, hidden)
    torch.testing.assert_close(head.score(hidden), expected)
    for k in (1, 4):
        several = torch.randint(0, V, (*shape, k))
        found = head.score(hidden, several)
        assert found.shape == (*shape, k)
        torch.testing.assert_close(found, expected.gather(-1, several))
    single = torch.randint(0, V, shape)
    found = head.score(hidden, single)
    assert found.shape == shape
    torch.testing.assert_close(found, expected.gather(-1, single.unsqueeze(-1)).squeeze(-1))


@pytest.mark.parametrize("kind", HEADS)
def test_bfloat16_hidden_states_give_float32_scores(kind: str) -> None:
    head = make_head(kind)
    hidden = torch.randn(6, H).bfloat16()
    ids = torch.arange(6)
    scores = head.score(hidden, ids)
    assert scores.dtype == head.score(hidden).dtype == torch.float32
    torch.testing.assert_close(scores, by_the_book(head, hidden).diagonal()[:6])


@pytest.mark.parametrize("kind", HEADS)
def test_every_parameter_learns_from_chosen_tokens_as_from_all(kind: str) -> None:
    hidden, ids = torch.randn(5, H), torch.randint(0, V, (5, 3))
    gradients = []
    for gathered in (True, False):
        head = make_head(kind)
        logits = head.logits(hidden, ids) if gathered else head.logits(hidden).gather(-1, ids)
        logits.square().sum().backward()
        gradients.append({name: p.grad for name, p in head.named_parameters()})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        assert gradient is not None
        torch.testing.assert_close(gradient, gradients[1][name])


def test_a_rescaling_head_owns_two_numbers_and_starts_as_the_language_model() -> None:
    unembedding = Unembedding(torch.randn(V, H))
    head = RescalingHead(unembedding=unembedding)
    assert {n: p.numel() for n, p in head.named_parameters()} == {"scale": 1, "bias": 1}
    hidden = torch.randn(3, H)
    torch.testing.assert_close(head.score(hidden), torch.sigmoid(unembedding(hidden)))


def test_a_head_starts_from_the_language_models_unembedding() -> None:
    weight = torch.randn(V, H).bfloat16()
    head = SigmoidHead(vocabulary_size=V, hidden_size=H)
    head.initialise_from(weight)
    assert head.weight.dtype == torch.float32
    assert head.weight.requires_grad
    torch.testing.assert_close(head.weight.detach(), weight.float())
    with pytest.raises(RuntimeError):
        head.initialise_from(weight[:-1])
