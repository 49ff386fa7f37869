"""Ranks of a vocabulary-parallel loss: each runs all cases and writes what it found to a file.

Usage: vocabulary_parallel_worker.py FOLDER
"""

import datetime
import faulthandler
import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from dense_losses import upstream_sum
from torch import Tensor
from torch.multiprocessing import start_processes

from headwise.functional import linear_cross_entropy

WORLD = 3
VOCABULARY = 23
# How many tokens each rank holds. The first layout leaves the last rank out
LAYOUTS: dict[str, tuple[int, ...]] = {
    "two": (12, 11),
    "three": (15, 0, 8),
}
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "sum": {"reduction": "sum"},
    "none": {"reduction": "none"},
    "everything": {
        "softcap": 3.0,
        "label_smoothing": 0.1,
        "z_loss": 0.01,
        "shift": True,
        "token_weights": True,
        "bias": True,
        "workspace_bytes": 2000,
    },
    "everything of each token": {
        "softcap": 3.0,
        "label_smoothing": 0.1,
        "z_loss": 0.01,
        "token_weights": True,
        "bias": True,
        "reduction": "none",
        "return_logsumexp": True,
        "return_entropy": True,
    },
    "statistics": {"return_logsumexp": True, "return_entropy": True},
    "blocks": {"blocks": True, "bias": True},
    "all ignored": {"ignored": True},
    "large logits": {"scale": 1e3},
    "smoothed": {"label_smoothing": 0.2, "reduction": "none"},
}


def inputs(case: dict[str, Any]) -> dict[str, Tensor]:
    """The same full tensors on every rank."""
    generator = torch.Generator().manual_seed(6)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    targets = torch.randint(0, VOCABULARY, (3, 7), generator=generator)
    targets[0, 2] = targets[2, 6] = -100
    if case.get("ignored"):
        targets.fill_(-100)
    return {
        "hidden": drawn(3, 7, 5) * case.get("scale", 1.0),
        "weight": drawn(VOCABULARY, 5),
        "bias": drawn(VOCABULARY),
        "targets": targets,
        "token_weights": drawn(3, 7).abs(),
    }


def options_of(case: dict[str, Any]) -> dict[str, Any]:
    """The options that `linear_cross_entropy` and the dense formula take as they are."""
    ours = ("token_weights", "bias", "blocks", "ignored", "scale")
    return {name: value for name, value in case.items() if name not in ours}


def run(case: dict[str, Any], sizes: tuple[int, ...], group: dist.ProcessGroup) -> dict[str, Any]:
    """Loss, statistics and gradients of this rank."""
    rank = dist.get_rank(group)
    given = inputs(case)
    own = slice(sum(sizes[:rank]), sum(sizes[: rank + 1]))
    hidden = given["hidden"].requires_grad_()
    weight = given["weight"][own].clone().requires_grad_()
    bias = given["bias"][own].clone().requires_grad_()
    cuts = [sizes[rank] // 3, sizes[rank] - sizes[rank] // 3]
    found = linear_cross_entropy(
        hidden,
        weight.split(cuts) if case.get("blocks") else weight,
        given["targets"],
        bias=(bias.split(cuts) if case.get("blocks") else bias) if case.get("bias") else None,
        token_weights=given["token_weights"] if case.get("token_weights") else None,
        process_group=group,
        **options_of(case),
    )
    outputs = [found] if isinstance(found, Tensor) else [part for part in found if part is not None]
    upstream_sum(outputs).backward()
    return {
        "outputs": [output.detach() for output in outputs],
        "hidden": hidden.grad,
        "weight": weight.grad,
        "bias": bias.grad,
    }


def frozen(sizes: tuple[int, ...], group: dist.ProcessGroup) -> dict[str, Any]:
    """The gradient of the last slice, where hidden states and the other slices are frozen."""
    rank, given = dist.get_rank(group), inputs({})
    weight = given["weight"][sum(sizes[:rank]) : sum(sizes[: rank + 1])].clone()
    weight.requires_grad_(rank == 1)
    losses = linear_cross_entropy(
        given["hidden"], weight, given["targets"], reduction="none", process_group=group
    )
    if losses.requires_grad:
        upstream_sum([losses.sum()]).backward()
    return {"weight": weight.grad}


def disagreement(sizes: tuple[int, ...], group: dist.ProcessGroup) -> str:
    """What is said where the ranks call with different targets."""
    rank, given = dist.get_rank(group), inputs({})
    weight = given["weight"][sum(sizes[:rank]) : sum(sizes[: rank + 1])]
    targets = given["targets"].clone()
    if rank == 1:
        targets[0, 0] = -100
    try:
        linear_cross_entropy(given["hidden"], weight, targets, process_group=group)
    except ValueError as error:
        return str(error)
    return ""


def refusal(sizes: tuple[int, ...], group: dist.ProcessGroup) -> str:
    """What is said of a target that no rank holds."""
    given = inputs({})
    start = sum(sizes[: dist.get_rank(group)])
    weight = given["weight"][start : start + sizes[dist.get_rank(group)]]
    given["targets"][1, 1] = VOCABULARY
    try:
        linear_cross_entropy(given["hidden"], weight, given["targets"], process_group=group)
    except ValueError as error:
        return str(error)
    return ""


def work(rank: int, folder: Path) -> None:
    """What one of the processes does."""
    faulthandler.dump_traceback_later(100, exit=True)  # a process that waits for ever says where
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder}/rendezvous",
        rank=rank,
        world_size=WORLD,
        timeout=datetime.timedelta(seconds=60),
    )
    found: dict[str, Any] = {}
    for name, sizes in LAYOUTS.items():
        group = dist.new_group(list(range(len(sizes))))  # every process has to call it
        if rank < len(sizes):
            found[name] = {key: run(case, sizes, group) for key, case in CASES.items()}
            found[name]["refusal"] = refusal(sizes, group)
            found[name]["disagreement"] = disagreement(sizes, group)
            found[name]["frozen"] = frozen(sizes, group)
    torch.save(found, folder / f"rank{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    # Forked, so that PyTorch is imported once for all of them
    start_processes(work, args=(Path(sys.argv[1]),), nprocs=WORLD, start_method="fork")
