from functools import partial
from typing import Any

import pytest
import torch
from made_quality_heads import OWN_UNEMBEDDING, C, H, R, V, make_head, softcapped
from torch import Tensor

from headwise.backbones import Unembedding
from headwise.choices import LAYERED_HEAD_TYPES
from headwise.heads import (
    HEAD_TYPES,
    BiasedSigmoidHead,
    ContextualSigmoidHead,
    QualityHead,
    RescalingHead,
    SharedUnembeddingHead,
    SigmoidHead,
    build_head,
)


def by_the_book(head: QualityHead, hidden: Tensor) -> Tensor:
    if isinstance(head, RescalingHead):
        layer, states = head._unembedding, hidden.float()
        if isinstance(head, SharedUnembeddingHead):
            states = states + states @ head.reduce.weight.T @ head.expand.weight.T
        logits = 4.0 * torch.tanh((0.5 * states @ layer.weight.T + layer.bias) / 4.0)
    else:
        logits = hidden.float() @ head.weight.T
    scale, bias = getattr(head, "scale", 1.0), getattr(head, "bias", 0.0)
    if isinstance(head, ContextualSigmoidHead | SharedUnembeddingHead):
        into, into_bias, out, out_bias = head.context.parameters()
        inner = hidden.float() @ into.T + into_bias
        inner = inner * 0.5 * (1.0 + torch.erf(inner / 2**0.5))
        bias = bias + inner @ out.T + out_bias  # (..., 1)
    return torch.sigmoid(scale * logits + bias)


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (0,), (2, 0), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("kind", HEAD_TYPES)
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


@pytest.mark.parametrize("kind", HEAD_TYPES)
def test_bfloat16_hidden_states_give_float32_scores(kind: str) -> None:
    head = make_head(kind)
    hidden = torch.randn(6, H).bfloat16()
    ids = torch.arange(6)
    scores = head.score(hidden, ids)
    assert scores.dtype == head.score(hidden).dtype == torch.float32
    torch.testing.assert_close(scores, by_the_book(head, hidden).diagonal()[:6])


@pytest.mark.parametrize("shape", [(), (5,), (0,), (2, 3)], ids=str)
@pytest.mark.parametrize("kind", OWN_UNEMBEDDING)
def test_what_logits_are_linear_in(kind: str, shape: tuple[int, ...]) -> None:
    head = make_head(kind)
    hidden = torch.randn(*shape, H).bfloat16()
    layer = head.linear(hidden)
    logits = layer.hidden @ layer.weight.T
    if layer.row_bias is not None:
        assert layer.row_bias.shape == shape
        logits = logits + layer.row_bias.unsqueeze(-1)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(torch.sigmoid(logits), by_the_book(head, hidden))


@pytest.mark.parametrize("kind", HEAD_TYPES)
def test_every_parameter_learns_as_by_the_book(kind: str) -> None:
    hidden, ids = torch.randn(5, H), torch.randint(0, V, (5, 3))
    gradients = []
    for way in ("chosen", "all", "by the book"):
        head = make_head(kind)
        states = hidden.clone().requires_grad_()
        if way == "chosen":
            scores = head.score(states, ids)
        else:
            scores = (head.score if way == "all" else partial(by_the_book, head))(states)
            scores = scores.gather(-1, ids)
        scores.square().sum().backward()
        learning = {"hidden": states, **dict(head.named_parameters())}
        gradients.append({name: t.grad for name, t in learning.items() if t.requires_grad})
    *found, expected = gradients
    for ours in found:
        for name, gradient in expected.items():
            assert gradient is not None
            assert gradient.any()
            torch.testing.assert_close(ours[name], gradient, msg=name)


def test_a_rescaling_head_owns_two_numbers_and_starts_as_the_language_model() -> None:
    unembedding = Unembedding(torch.randn(V, H))
    head = RescalingHead(unembedding=unembedding)
    assert {n: p.numel() for n, p in head.named_parameters()} == {"scale": 1, "bias": 1}
    hidden = torch.randn(3, H)
    torch.testing.assert_close(head.score(hidden), torch.sigmoid(unembedding(hidden)))


@pytest.mark.parametrize("rank", [0, R])
def test_a_shared_unembedding_starts_and_starts_again_as_the_language_model(rank: int) -> None:
    unembedding, hidden = Unembedding(torch.randn(V, H)), torch.randn(3, H)
    head = SharedUnembeddingHead(unembedding=unembedding, hidden_size=H, context_size=C, rank=rank)
    numbers = sum(parameter.numel() for parameter in head.parameters())
    assert numbers == 2 + (H + 1) * C + C + 1 + 2 * H * rank  # no vocabulary
    expected = torch.sigmoid(unembedding(hidden))
    torch.testing.assert_close(head.score(hidden), expected)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.fill_(2.0)
    head.reset_parameters()
    torch.testing.assert_close(head.score(hidden), expected)


@pytest.mark.parametrize(
    "sizes", [{"rank": -1}, {"context_size": 0}, {"hidden_size": 1.5}], ids=str
)
def test_sizes_of_a_shared_unembedding_are_checked(sizes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"`{next(iter(sizes))}` must be a whole number of at"):
        SharedUnembeddingHead(unembedding=softcapped(), **{"hidden_size": H, **sizes})


@pytest.mark.parametrize("width", [H, 7])
def test_a_threshold_comes_from_another_layer(width: int) -> None:
    unembedding = softcapped()
    head = SharedUnembeddingHead(
        unembedding=unembedding,
        hidden_size=H,
        context_size=C,
        rank=R,
        layers=(-1, 4),
        layer_count=6,
        layer_widths=None if width == H else [H, width],
    )
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    assert (head.layers, head.input_size) == ((-1, 4), H + width)
    last, other, ids = torch.randn(2, 3, H), torch.randn(2, 3, width), torch.randint(0, V, (2, 3))
    # A head whose g says nothing has what the last layer says
    plain = SharedUnembeddingHead(unembedding=unembedding, hidden_size=H, context_size=C, rank=R)
    own = {n: t for n, t in head.state_dict().items() if not n.startswith("context")}
    plain.load_state_dict(own, strict=False)
    head.standardise(torch.cat([torch.randn(50, H), 300.0 + 40.0 * torch.randn(50, width)], dim=1))
    assert head.context_mean.allclose(torch.tensor(300.0), rtol=0.1)
    other = 300.0 + 40.0 * other
    z = (other - head.context_mean) / head.context_spread
    assert z.abs().max() < 9.0
    expected = torch.sigmoid(plain.logits(last) + head.context(z))
    both = torch.cat([last, other], dim=-1)
    torch.testing.assert_close(head.score(both), expected)
    of_targets = expected.gather(-1, ids.unsqueeze(-1))
    torch.testing.assert_close(head.score(both, ids), of_targets.squeeze(-1))
    torch.testing.assert_close(head.score(both, ids.unsqueeze(-1)), of_targets)
    with pytest.raises(ValueError, match=f"`hidden_size` of {H + width} as H"):
        head.score(last)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layers": (1,)}, r"must be the last, and after it the one that g reads .* got \[1\]"),
        ({"layers": (-1, 1, 2)}, r"such as \[-1, 12\], got \[-1, 1, 2\]"),
        ({"layers": (-1, 9)}, "must be a whole number from -7 to 6, got 9"),
        ({"layer_count": None}, "`layers` other than the last need the model's `layer_count`"),
        ({"layer_widths": [H]}, "must be a list of 2 numbers, one a layer"),
        ({"layer_widths": [H + 1, H]}, f"must be the `hidden_size` of {H} for the last layer"),
        ({"layer_widths": [H, 0]}, "`layer_widths` must be a whole number of at least 1"),
    ],
    ids=str,
)
def test_layers_that_a_shared_unembedding_cannot_read(options: dict[str, Any], said: str) -> None:
    given = {"layers": (-1, 4), "layer_count": 6, **options}
    with pytest.raises(ValueError, match=said):
        SharedUnembeddingHead(unembedding=softcapped(), hidden_size=H, **given)


@pytest.mark.parametrize("kind", [k for k in HEAD_TYPES if k not in LAYERED_HEAD_TYPES])
def test_other_heads_read_the_last_layer_alone(kind: str) -> None:
    with pytest.raises(ValueError, match=f"A {kind} reads the last layer alone"):
        build_head(
            kind,
            vocabulary_size=V,
            hidden_size=H,
            unembedding=softcapped,
            layers=(-1, 4),
            layer_count=6,
        )


@pytest.mark.parametrize("kind", [BiasedSigmoidHead, ContextualSigmoidHead])
def test_a_head_with_a_bias_starts_and_starts_again_as_the_plain_one(
    kind: type[BiasedSigmoidHead | ContextualSigmoidHead],
) -> None:
    hidden, ids = torch.randn(6, H), torch.randint(0, V, (6, 4))

    def assert_plain(head: SigmoidHead) -> None:
        torch.manual_seed(8)
        plain = SigmoidHead(vocabulary_size=V, hidden_size=H)
        for chosen in (None, ids, ids[:, 0]):
            assert torch.equal(head.logits(hidden, chosen), plain.logits(hidden, chosen))

    torch.manual_seed(8)
    head = kind(vocabulary_size=V, hidden_size=H)
    assert_plain(head)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.fill_(2.0)
    torch.manual_seed(8)
    head.reset_parameters()
    assert_plain(head)
    assert all(2.0 not in parameter for parameter in head.parameters())


def test_a_contextual_bias_leaves_its_start() -> None:
    head = ContextualSigmoidHead(vocabulary_size=V, hidden_size=H)
    assert head.context[0].weight.shape == (64, H)
    hidden, ids = torch.randn(6, H), torch.randint(0, V, (6,))
    optimizer = torch.optim.SGD(head.context.parameters(), lr=1.0)
    before = [parameter.detach().clone() for parameter in head.context.parameters()]
    for _ in range(2):  # the first step reaches the last layer only
        optimizer.zero_grad()
        head.score(hidden, ids).sum().backward()
        optimizer.step()
    for parameter, old in zip(head.context.parameters(), before, strict=True):
        assert not torch.equal(parameter, old)
    assert head.context(hidden).std() > 0.0


def test_the_backbones_output_layer_is_asked_for_only_by_the_head_that_rescales_it() -> None:
    asked = []

    def ask() -> Unembedding:
        asked.append(head_type)
        return softcapped()

    for head_type in HEAD_TYPES:
        head = build_head(head_type, vocabulary_size=V, hidden_size=H, unembedding=ask)
        assert head.head_type == head_type
    assert asked == ["rescaling_head", "shared_unembedding_head"]
    with pytest.raises(ValueError, match=r"contextual_unembedding_head, .*, got 'hydra'"):
        build_head("hydra", vocabulary_size=V, hidden_size=H, unembedding=ask)


def test_a_head_starts_from_the_language_models_unembedding() -> None:
    weight = torch.randn(V, H).bfloat16()
    head = SigmoidHead(vocabulary_size=V, hidden_size=H)
    head.initialise_from(weight)
    assert head.weight.dtype == torch.float32
    assert head.weight.requires_grad
    torch.testing.assert_close(head.weight.detach(), weight.float())
    with pytest.raises(RuntimeError):
        head.initialise_from(weight[:-1])
