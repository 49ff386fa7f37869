import pytest
import torch

from headwise.errors import UninitialisedError
from headwise.heads import ValueHead

H = 7


def made(output_size: int = 1, dropout: float = 0.0) -> ValueHead:
    torch.manual_seed(0)
    return ValueHead(hidden_size=H, output_size=output_size, dropout=dropout)


@pytest.mark.parametrize("output_size", [1, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_values_and_gradients_are_those_of_the_formula(
    dtype: torch.dtype, output_size: int
) -> None:
    head = made(output_size).to(dtype)
    hidden = torch.randn(2, 5, H).to(dtype).requires_grad_()
    weight, bias = (p.detach().clone().requires_grad_() for p in head.score.parameters())
    plain = hidden.detach().clone().requires_grad_()
    found = head(hidden)
    expected = torch.nn.functional.linear(plain, weight, bias).float()
    expected = expected[..., 0] if output_size == 1 else expected
    assert found.dtype == torch.float32
    assert found.shape == ((2, 5) if output_size == 1 else (2, 5, output_size))
    torch.testing.assert_close(found, expected)
    upstream = torch.randn(found.shape)
    found.backward(upstream)
    expected.backward(upstream)
    for ours, theirs in ((hidden, plain), (head.score.weight, weight), (head.score.bias, bias)):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_a_mask_chooses_positions() -> None:
    head, hidden = made(), torch.randn(3, 4, H)
    last = torch.zeros(3, 4, dtype=torch.bool)
    last[torch.arange(3), torch.tensor([1, 3, 0])] = True
    torch.testing.assert_close(head(hidden, last), head(hidden)[last])
    assert made(output_size=2)(hidden, last).shape == (3, 2)
    with pytest.raises(ValueError, match="`pooling_mask` must have the shape"):
        head(hidden, last[:2])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`hidden_size` of 7 as H, got \(2, 8\)"):
        made()(torch.zeros(2, H + 1))
    with pytest.raises(ValueError, match=r"`output_size` .* at least 1, got 0"):
        made(output_size=0)
    with pytest.raises(ValueError, match=r"`dropout` must be a number in \[0, 1\), got 1\.5"):
        made(dropout=1.5)
    with torch.device("meta"):
        head = made()
    with pytest.raises(UninitialisedError, match="materialise"):
        head(torch.zeros(2, H))


def test_dropout_is_for_training_alone() -> None:
    head, hidden = made(dropout=0.5), torch.ones(64, H)
    assert head(hidden).unique().numel() > 1
    assert head.eval()(hidden).unique().numel() == 1


def test_autocast_gives_float32_values() -> None:
    head, hidden = made(), torch.randn(2, H)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = head(hidden)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, head(hidden), rtol=2e-2, atol=2e-2)


def test_the_names_of_its_weights_are_kept() -> None:
    assert set(made().state_dict()) == {"score.weight", "score.bias"}
