"""Adam that leaves alone the rows that a step did not touch."""

from collections.abc import Callable, Iterable
from typing import Any, assert_never

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from headwise.backbones.encodings import length_batches
from headwise.errors import TrainingError
from headwise.features import FeatureSource
from headwise.functional.chunking import row_chunks
from headwise.heads import QualityHead, SigmoidHead
from headwise.training.sigmoid.settings import RowUpdates, SigmoidTraining

# What is gathered stays in a cache until it goes back; smaller chunks cost more in calls
_CHUNK_BYTES = 4 * 2**20


class RowAdam(Optimizer):
    """Adam whose moments and step counts belong to rows.

    A row with a sparse gradient is updated as if its own steps were the only ones; all others
    keep their weights and moments. Time and memory traffic follow from the touched rows, not from
    the vocabulary. Parameters with a dense gradient get plain Adam. (`torch.optim.SparseAdam`
    corrects the bias of the moments by the global step, which makes a rare row's first steps
    three times too long, and takes no dense gradients.)

    References:
        Kingma & Ba 2015, arXiv 1412.6980, algorithm 1.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        *,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)
        return loss

    def _update(self, parameter: nn.Parameter, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["first"], state["second"] = (torch.zeros_like(parameter) for _ in range(2))
            state["steps"] = torch.zeros(parameter.shape[:1], device=parameter.device)
        states = (parameter, state["first"], state["second"], state["steps"])
        if not gradient.is_sparse:
            self._adam(gradient, states, group)
            return
        gradient = gradient.coalesce()
        rows, values = gradient.indices()[0], gradient.values()
        # Weight, two moments, gradient and denominator
        row_bytes = 5 * parameter[:1].nbytes
        # A chunk has to hold one row at least, however wide
        for part in row_chunks(
            len(rows), bytes_per_row=row_bytes, workspace_bytes=max(_CHUNK_BYTES, row_bytes)
        ):
            touched = tuple(tensor.index_select(0, rows[part]) for tensor in states)
            self._adam(values[part], touched, group)
            for whole, new in zip(states, touched, strict=True):
                whole.index_copy_(0, rows[part], new)

    @staticmethod
    def _adam(gradient: Tensor, states: tuple[Tensor, ...], group: dict[str, Any]) -> None:
        weight, first, second, steps = states
        beta1, beta2 = group["betas"]
        steps.add_(1)
        first.lerp_(gradient, 1 - beta1)
        second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        # Corrections of the moments' bias, one a row; 1 - 0.999 leaves float32 few digits
        exact = steps.double().reshape(steps.shape + (1,) * (weight.ndim - steps.ndim))
        by_first, by_second = 1 - beta1**exact, (1 - beta2**exact).sqrt_()
        # The usual denominator, times what corrects the first moment: one pass over rows less
        denominator = torch.addcmul(
            (by_first * group["eps"]).to(weight), second.sqrt(), (by_first / by_second).to(weight)
        )
        weight.addcdiv_(first, denominator, value=-group["lr"])


def touched_rows_pay(vocabulary_size: int, candidates: int, device: torch.device) -> bool:
    """Whether a step that updates touched rows is faster than one that updates all of them.

    On one CPU core, ``benchmarks/bench_row_updates.py`` found these speed-ups over PyTorch's
    fused AdamW with hidden states 256 and 1,024 wide; above 1, touched rows win:

    ======== ========== ============ ============ ============ ============
    V        V = 45 C   V = 11 C     V = 5.7 C    V = 2.8 C    V = 1.4 C
    ======== ========== ============ ============ ============ ============
    8,000               2.3 and 1.7  0.7 and 1.2  0.9 and 0.9  1.2 and 1.0
    32,000   2.5 and 12 1.5 and 3.7  1.1 and 2.7  0.8 and 1.8  0.8 and 1.1
    128,000  12 and 16  4.0 and 5.2  2.5 and 2.4  1.5 and 2.7
    256,000  12 and 18  3.9 and 4.9  2.0 and 1.7
    ======== ========== ============ ============ ============ ============

    C counts the targets and negatives of an update, repetitions included: N * (1 + K).
    """
    if device.type != "cpu":
        # Not measured on accelerators, whose memory is fast; plain Adam is the known quantity
        return False
    # A large dense gradient is new memory from the system in every step, a small one is not
    rows_per_candidate = 2.5 if vocabulary_size >= 2**16 else 5.0
    return vocabulary_size >= rows_per_candidate * candidates


def updates_touched_rows(
    head: QualityHead, train: FeatureSource, settings: SigmoidTraining, *, processes: int
) -> bool:
    """Whether a step updates touched rows only, and tell the head so.

    Raises:
        TrainingError: If it is to, but cannot.
    """
    negatives = settings.objective.negatives
    if not isinstance(head, SigmoidHead) or negatives is None or processes > 1:
        if settings.row_updates is RowUpdates.TOUCHED:
            raise TrainingError(
                "Only touched rows can be updated where negatives are drawn, the head has an "
                "unembedding of its own, and there is one process; leave `row_updates` at 'auto'."
            )
        return False
    match settings.row_updates:
        case RowUpdates.ALL:
            touched = False
        case RowUpdates.TOUCHED:
            touched = True
        case RowUpdates.AUTO:
            batches = len(length_batches(train.lengths, max_tokens=settings.batch_tokens))
            positions = sum(train.counts) * settings.accumulation // batches
            touched = touched_rows_pay(
                len(head.weight), positions * (1 + negatives.per_position), head.weight.device
            )
        case _:
            assert_never(settings.row_updates)
    head.sparse_gradient = touched
    return touched
