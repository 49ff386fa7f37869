"""How far gradients of linear cross-entropy are from the dense formula's, and from exact ones."""

import torch
from torch import Tensor

from loss_sides import Gradients, Problem

# What cut-cross-entropy's own tests allow beyond the error of the dense formula in that dtype:
# github.com/apple/ml-cross-entropy, tests/test_cce_loss_backward.py
PUBLISHED_TOLERANCE = {torch.float16: 1e-3, torch.bfloat16: 1e-2}
_ROWS = 256


def exact_gradients(problem: Problem) -> Gradients:
    """Gradients of the mean loss in float64, a few positions at a time."""
    hidden, weight, targets = problem.tensors()
    hidden, weight = hidden.detach().double(), weight.detach().double()
    of_hidden, of_weight = torch.empty_like(hidden), torch.zeros_like(weight)
    for start in range(0, problem.positions, _ROWS):
        rows = slice(start, start + _ROWS)
        errors = torch.softmax(hidden[rows] @ weight.T, dim=-1)
        errors[torch.arange(len(errors)), targets[rows]] -= 1
        errors /= problem.positions
        of_hidden[rows] = errors @ weight
        of_weight.addmm_(errors.T, hidden[rows])
    return of_hidden, of_weight


def difference(found: Tensor, right: Tensor) -> tuple[float, float]:
    """Largest difference of two gradients.

    Returns:
        The largest difference of a number over the largest number, and the largest norm of a
        row's difference over the row's norm. The second also sees the rows of tokens that are
        no target, whose gradients are small.
    """
    found, right = found.double(), right.double()
    apart = found - right
    norms = right.norm(dim=-1).clamp_min(1e-300)
    return (
        float(apart.abs().max() / right.abs().max()),
        float((apart.norm(dim=-1) / norms).max()),
    )


def print_agreement(name: str, found: Gradients, right: Gradients) -> None:
    """One line: both measures for hidden states and for the weight."""
    parts = []
    for of, one, other in zip(("hidden", "weight"), found, right, strict=True):
        largest, row = difference(one, other)
        parts.append(f"{of} {largest:.1e}, worst row {row:.1e}")
    print(f"  {name}: {'; '.join(parts)}")


def print_rounding(name: str, found: Gradients, dense: Gradients, exact: Gradients) -> None:
    """One line: errors against float64, beside those of the dense formula, and the rule."""
    allowed = PUBLISHED_TOLERANCE[found[0].dtype]
    parts = []
    kept = True
    for of, mine, theirs, right in zip(("hidden", "weight"), found, dense, exact, strict=True):
        error, other = ((x.double() - right).abs() for x in (mine, theirs))
        kept = kept and bool((error <= other + allowed).all())
        parts.append(
            f"{of} {float(error.norm() / right.norm()):.1e} "
            f"({float(error.norm() / other.norm()):.2f}x dense's)"
        )
    rule = f"no number more than {allowed:g} farther off than dense: {'yes' if kept else 'NO'}"
    print(f"  {name}: error norm over norm, {'; '.join(parts)}; {rule}")
