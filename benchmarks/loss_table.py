"""Measure the backends of linear cross-entropy and write the table that `auto` goes by."""

import statistics
from pathlib import Path

import torch

from comparison import seconds
from headwise.functional.losses import backend_table
from headwise.functional.losses.backends import LossBackend
from loss_sides import Problem, available, backend, step

VOCABULARIES = (1_000, 8_000, 32_000, 128_000)
POSITIONS, HIDDEN = 2048, 512
BACKENDS = (LossBackend.TORCH, LossBackend.CORE, LossBackend.CCE, LossBackend.LIGER)
HEADER = f'''"""Seconds that the backends of linear cross-entropy take; a benchmark wrote this file.

Forward and backward pass of {POSITIONS} positions, H {HIDDEN}. Written by
``python benchmarks/bench_linear_cross_entropy.py --write-table``.
"""
'''


def write_table(device: torch.device, dtype: torch.dtype, machine: str, repeats: int) -> None:
    """Measure one device and dtype; the rows of the others stay."""
    name = str(dtype).removeprefix("torch.")
    key = (device.type, name)
    table = {row: times for row, times in backend_table.SECONDS.items() if row[:2] != key}
    for size in VOCABULARIES:
        problem = Problem(POSITIONS, HIDDEN, size, dtype, device)
        times = measured(problem, repeats)
        table[(*key, size)] = times
        print(f"V {size}: {', '.join(f'{who} {spent:.4f} s' for who, spent in times.items())}")
    machines = backend_table.MACHINES | {key: machine}
    Path(backend_table.__file__).write_text(as_code(table, machines), encoding="utf-8")
    print(f"written: {Path(backend_table.__file__).name}")


def measured(problem: Problem, repeats: int) -> dict[str, float]:
    """Median seconds of each backend that runs here; they take turns."""
    tensors = problem.tensors()
    losses = {str(name): backend(name) for name in available(problem, asked=BACKENDS)}
    taken: dict[str, list[float]] = {name: [] for name in losses}
    for _ in range(repeats + 1):
        for name, loss in losses.items():
            taken[name].append(seconds(lambda loss=loss: step(loss, tensors)))
    return {name: statistics.median(values[1:]) for name, values in taken.items()}


def as_code(
    table: dict[tuple[str, str, int], dict[str, float]], machines: dict[tuple[str, str], str]
) -> str:
    """The module's text, as the formatter leaves it."""
    lines = [HEADER, "SECONDS: dict[tuple[str, str, int], dict[str, float]] = {"]
    for (device, dtype, size), times in sorted(table.items()):
        lines.append(f'    ("{device}", "{dtype}", {size}): {{')
        lines += [f'        "{name}": {spent:.6f},' for name, spent in sorted(times.items())]
        lines.append("    },")
    lines += ["}", '"""By device type, dtype and vocabulary size, then by backend."""', ""]
    lines.append("MACHINES: dict[tuple[str, str], str] = {")
    lines += [f'    ("{k[0]}", "{k[1]}"): "{text}",' for k, text in sorted(machines.items())]
    lines += ["}", '"""What the rows of a device type and dtype were measured on."""', ""]
    return "\n".join(lines)
