"""What `linear_cross_entropy` does not take, and what it says then."""

from typing import Any

import pytest
import torch

from headwise.functional import linear_cross_entropy


def given(**changes: Any) -> dict[str, Any]:
    """Arguments that fit together, but for the changes."""
    torch.manual_seed(6)
    return {
        "hidden": torch.randn(2, 5, 4),
        "weight": torch.randn(9, 4),
        "targets": torch.randint(0, 9, (2, 5)),
        "backend": "torch",
    } | changes


def with_target(value: int) -> torch.Tensor:
    targets = torch.randint(0, 9, (2, 5))
    targets[1, 3] = value
    return targets


@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("backend", ["torch", "auto"])
@pytest.mark.parametrize("value", [9, 1234, -1, -101])
def test_a_target_outside_the_vocabulary(value: int, backend: str, reduction: str) -> None:
    arguments = given(targets=with_target(value), backend=backend, reduction=reduction)
    with pytest.raises(ValueError, match="targets") as refused:
        linear_cross_entropy(**arguments)
    assert str(value) in str(refused.value)  # which
    assert "9" in str(refused.value)  # and what would be allowed


def test_the_first_target_does_not_matter_where_targets_are_shifted() -> None:
    targets = torch.zeros(2, 5, dtype=torch.int64)
    targets[:, 0] = 77
    assert bool(linear_cross_entropy(**given(targets=targets, shift=True)).isfinite())


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"targets": torch.zeros(2, 5, dtype=torch.int32)}, "int64"),
        ({"targets": torch.zeros(2, 5)}, "int64"),
        ({"hidden": torch.zeros(2, 5, 4, dtype=torch.int64)}, "hidden"),
        ({"targets": torch.zeros(2, 4, dtype=torch.int64)}, "targets"),
        ({"targets": torch.zeros(10, dtype=torch.int64)}, "targets"),
        ({"weight": torch.zeros(9, 3)}, "weight"),
        ({"weight": torch.zeros(9)}, "weight"),
        ({"weight": [torch.zeros(5, 4), torch.zeros(4, 3)]}, "weight"),
        ({"weight": []}, "weight"),
        ({"weight": torch.zeros(9, 4, dtype=torch.int64)}, "weight"),
        ({"weight": torch.zeros(9, 4).numpy()}, "weight"),
        ({"weight": torch.nn.Linear(4, 9)}, "weight"),
        ({"weight": {"base": torch.zeros(9, 4)}}, "weight"),
        ({"hidden": [[1.0]]}, "hidden"),
        ({"hidden": torch.zeros(2, 5, 0), "weight": torch.zeros(9, 0)}, "hidden"),
        ({"targets": torch.zeros(2, 5, dtype=torch.int64).numpy()}, "targets"),
        ({"targets": None}, "targets"),
        ({"ignore_index": None}, "ignore_index"),
        ({"bias": torch.zeros(8)}, "bias"),
        ({"bias": torch.zeros(9, 1)}, "bias"),
        ({"bias": [torch.zeros(5), torch.zeros(4)]}, "bias"),
        ({"weight": torch.zeros(9, 4).split([5, 4]), "bias": [None]}, "bias"),
        ({"weight": torch.zeros(9, 4).split([5, 4]), "bias": torch.zeros(9).split([4, 5])}, "bias"),
        ({"token_weights": torch.ones(2, 4)}, "token_weights"),
        ({"token_weights": torch.ones(10)}, "token_weights"),
        ({"reduction": "average"}, "reduction"),
        ({"softcap": 0.0}, "softcap"),
        ({"softcap": -3.0}, "softcap"),
        ({"label_smoothing": 1.5}, "label_smoothing"),
        ({"label_smoothing": -0.1}, "label_smoothing"),
        ({"softcap": torch.inf}, "softcap"),
        ({"softcap": "30"}, "softcap"),
        ({"label_smoothing": None}, "label_smoothing"),
        ({"z_loss": -1.0}, "z_loss"),
        ({"z_loss": float("nan")}, "z_loss"),
        ({"workspace_bytes": 0}, "workspace_bytes"),
        ({"workspace_bytes": 1e8}, "workspace_bytes"),
        ({"workspace_bytes": "1GiB"}, "workspace_bytes"),
        ({"backend": "fast"}, "backend"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises((ValueError, TypeError), match=named):
        linear_cross_entropy(**given(**changes))


@pytest.mark.parametrize("name", ["hidden", "weight", "targets", "bias", "token_weights"])
def test_a_tensor_without_memory_is_refused(name: str) -> None:
    whole = given(bias=torch.zeros(9), token_weights=torch.ones(2, 5))
    with pytest.raises(ValueError, match=r"meta|one device"):
        linear_cross_entropy(**(whole | {name: whole[name].to("meta")}))
