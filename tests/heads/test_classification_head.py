import numpy as np
import pytest
import torch
from torch import nn

from headwise.errors import UninitialisedError
from headwise.heads import ClassificationHead

H, C = 7, 3


def made(dropout: float = 0.0) -> ClassificationHead:
    torch.manual_seed(0)
    return ClassificationHead(hidden_size=H, num_labels=C, dropout=dropout)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_logits_and_gradients_are_those_of_the_formula(dtype: torch.dtype) -> None:
    head = made().to(dtype)
    hidden = torch.randn(2, 5, H).to(dtype).requires_grad_()
    weight = head.score.weight.detach().clone().requires_grad_()
    plain = hidden.detach().clone().requires_grad_()
    found, expected = head(hidden), (plain @ weight.T).float()
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected)
    upstream = torch.randn(found.shape)
    found.backward(upstream)
    expected.backward(upstream)
    torch.testing.assert_close(hidden.grad, plain.grad)
    torch.testing.assert_close(head.score.weight.grad, weight.grad)


@pytest.mark.parametrize("as_bool", [True, False])
def test_a_mask_chooses_positions_in_their_order(as_bool: bool) -> None:
    head, hidden = made(), torch.randn(2, 4, H)
    mask = torch.tensor([[0, 1, 0, 1], [1, 0, 0, 0]])
    found = head(hidden, mask.bool() if as_bool else mask)
    expected = torch.stack([hidden[0, 1], hidden[0, 3], hidden[1, 0]]) @ head.score.weight.T
    torch.testing.assert_close(found, expected)
    assert head(hidden, torch.zeros_like(mask)).shape == (0, C)
    # What stands at other positions reaches no gradient, were it not a number
    hidden[~mask.bool()] = torch.nan
    hidden.requires_grad_()
    head(hidden, mask).sum().backward()
    assert head.score.weight.grad.isfinite().all()
    assert not hidden.grad[~mask.bool()].any()


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`pooling_mask` .* \(2, 4\), got \(2,\)"):
        made()(torch.randn(2, 4, H), torch.ones(2))


@pytest.mark.parametrize("wrong", [0.5, 2, 255, -1, float("nan")])
def test_a_mask_of_other_values_is_refused(wrong: float) -> None:
    mask = torch.tensor([[0.0, 1.0], [wrong, 1.0]])
    with pytest.raises(ValueError, match=rf"`pooling_mask` must be 0 or 1 .* got {wrong}"):
        made()(torch.randn(2, 2, H), mask)
    # As on an accelerator, where it would have to be waited for
    found = torch.compile(made(), backend="eager")(torch.randn(2, 2, H), mask)
    assert found.shape == (2, C)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.int64, torch.bool], ids=str)
def test_a_mask_may_be_of_any_type(dtype: torch.dtype) -> None:
    head, hidden = made(), torch.randn(2, 2, H)
    mask = torch.tensor([[0, 1], [0, 0]]).to(dtype)
    torch.testing.assert_close(head(hidden, mask), head(hidden[0, 1:]))


@pytest.mark.parametrize("shape", [(), (H + 1,), (2, H - 1)], ids=str)
def test_hidden_states_of_another_width_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"`hidden_size` of 7 as H, got \("):
        made()(torch.zeros(shape))


@pytest.mark.parametrize("wrong", [0, -1, True, 1.0, "3", None])
def test_wrong_sizes_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=rf"`num_labels` .* at least 1, got {wrong!r}"):
        ClassificationHead(hidden_size=H, num_labels=wrong)
    with pytest.raises(ValueError, match=rf"`hidden_size` .* at least 1, got {wrong!r}"):
        ClassificationHead(hidden_size=wrong, num_labels=C)


def test_numpys_integers_are_sizes() -> None:
    head = ClassificationHead(hidden_size=np.int32(H), num_labels=np.int64(C))
    assert head(torch.zeros(H)).shape == (C,)
    assert type(head.num_labels) is int


@pytest.mark.parametrize("wrong", [1.0, 1, -0.1, 2, float("nan"), "a", True])
def test_dropout_that_leaves_nothing_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=rf"`dropout` must be a number in \[0, 1\), got {wrong!r}"):
        made(dropout=wrong)


def test_a_head_without_values_says_how_to_get_some() -> None:
    with torch.device("meta"):
        head = made()
        assert head(torch.zeros(2, H)).shape == (2, C)
    with pytest.raises(UninitialisedError, match="materialise"):
        head(torch.zeros(2, H))


def test_offloaded_weights_are_not_missing() -> None:
    accelerate = pytest.importorskip("accelerate")
    head, hidden = made(), torch.randn(2, H)
    expected = head(hidden)
    accelerate.cpu_offload(head, execution_device=torch.device("cpu"))
    assert head.score.weight.is_meta
    torch.testing.assert_close(head(hidden), expected)


def test_dropout_is_for_training_alone() -> None:
    head, hidden = made(dropout=0.5), torch.ones(64, H)
    assert head(hidden).unique(dim=0).shape[0] > 1
    assert head.eval()(hidden).unique(dim=0).shape[0] == 1


def test_autocast_gives_float32_logits() -> None:
    head, hidden = made(), torch.randn(2, H)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = head(hidden)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, head(hidden), rtol=2e-2, atol=2e-2)


def test_state_dicts_are_exchanged_with_d9d() -> None:
    theirs = {"score.weight": torch.randn(C, H)}
    head = made(dropout=0.1)
    head.load_state_dict(theirs)
    d9d = nn.Module()
    d9d.dropout, d9d.score = nn.Dropout(0.1), nn.Linear(H, C, bias=False)
    d9d.load_state_dict(head.state_dict())
    assert torch.equal(d9d.score.weight, theirs["score.weight"])
