import numpy as np
import pytest
import torch

from headwise.functional.class_uncertainty import Uncertainty, class_uncertainty


def plain(logits: np.ndarray, how: Uncertainty) -> float:
    p = np.exp(logits - logits.max())
    p = np.sort(p / p.sum())[::-1]
    return {
        Uncertainty.MAX_PROBABILITY: 1 - p[0],
        Uncertainty.ENTROPY: -sum(x * np.log(x) for x in p if x) / np.log(len(p)),
        Uncertainty.MARGIN: 1 - (p[0] - p[1]),
    }[how]


@pytest.mark.parametrize("how", Uncertainty)
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_equals_the_plain_formula(how: Uncertainty, classes: int) -> None:
    torch.manual_seed(classes)
    logits = 4 * torch.randn(5, 2, classes)
    found = class_uncertainty(logits, how)
    assert found.shape == (5, 2)
    right = [[plain(row.double().numpy(), how) for row in rows] for rows in logits]
    torch.testing.assert_close(found, torch.tensor(right, dtype=torch.float32))


@pytest.mark.parametrize("how", Uncertainty)
def test_stays_within_zero_and_one_at_the_extremes(how: Uncertainty) -> None:
    logits = torch.tensor(
        [[1e4, -1e4, 0.0], [5.0, -torch.inf, -torch.inf], [0.0, 0.0, 0.0], [3.0, 3.0, -torch.inf]]
    )
    found = class_uncertainty(logits, how)
    assert found.isfinite().all()
    assert found.min() >= 0
    assert found.max() <= 1
    assert found[0] == found[1] == 0


def test_even_probabilities_are_the_most_uncertain() -> None:
    even = torch.zeros(4)
    assert class_uncertainty(even, Uncertainty.MAX_PROBABILITY) == 0.75
    assert class_uncertainty(even, Uncertainty.ENTROPY) == 1
    assert class_uncertainty(even, Uncertainty.MARGIN) == 1


@pytest.mark.parametrize("how", Uncertainty)
def test_bfloat16_is_read_in_float32(how: Uncertainty) -> None:
    logits = torch.tensor([[1.5, 0.25, -2.0]]).bfloat16()
    found = class_uncertainty(logits, how)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, class_uncertainty(logits.float(), how))


@pytest.mark.parametrize("shape", [(), (3, 1), (0,)])
def test_fewer_than_two_classes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least 2 classes"):
        class_uncertainty(torch.zeros(shape), Uncertainty.MARGIN)
