"""Forward and backward of linear cross-entropy: seconds, memory and gradients of every side.

``--write-table`` measures the backends at several vocabularies instead and writes what
``backend="auto"`` goes by.
"""

import argparse
import statistics
import subprocess
import sys

import torch

from comparison import device_line, seconds
from loss_accuracy import (
    PUBLISHED_TOLERANCE,
    exact_gradients,
    print_agreement,
    print_rounding,
)
from loss_sides import (
    DENSE,
    OURS,
    Gradients,
    Loss,
    Problem,
    allocator_extra,
    resident_extra,
    sides,
    step,
)
from loss_table import write_table

MIB = 2**20


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=int, default=4096)
    parser.add_argument("--hidden", type=int, default=1024)
    parser.add_argument("--vocabulary", type=int, default=128_000)
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"], default="float32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write-table", action="store_true")
    parser.add_argument("--resident", metavar="SIDE", help=argparse.SUPPRESS)
    return parser.parse_args()


def machine(device: torch.device) -> str:
    """What the figures were measured on."""
    if device.type == "cuda":
        return f"torch {torch.__version__}, {torch.cuda.get_device_name(device)}"
    return device_line()


def side_by_side(losses: dict[str, Loss], problem: Problem, repeats: int) -> dict[str, float]:
    """Median seconds of a step of each side; the sides take turns."""
    tensors = problem.tensors()
    taken: dict[str, list[float]] = {name: [] for name in losses}
    for _ in range(repeats):
        for name, loss in losses.items():
            taken[name].append(seconds(lambda loss=loss: step(loss, tensors)))
    return {name: statistics.median(values) for name, values in taken.items()}


def floor_seconds(problem: Problem) -> float:
    """Three products of a step alone, at the rate of the fastest shape."""
    hidden, weight, _ = (x.detach() for x in problem.tensors())
    best = 0.0
    for width in (2048, 8192, 32768):
        block = weight[:width]
        operations = 2 * problem.positions * problem.hidden * len(block)
        logits = hidden @ block.T
        products = (
            lambda logits=logits, block=block: torch.mm(hidden, block.T, out=logits),
            lambda logits=logits, block=block: logits @ block,
            lambda logits=logits: logits.T @ hidden,
        )
        for product in products:
            for _ in range(3):
                taken = seconds(lambda product=product: finished(product(), problem.device))
                best = max(best, operations / taken)
    print(f"fastest product: {best / 1e9:.0f} GFLOP/s")
    return 6 * problem.positions * problem.hidden * problem.vocabulary / best


def finished(_: object, device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def resident_of(name: str) -> int:
    """Run this command again for one side alone, in a process of its own."""
    command = [sys.executable, *sys.argv, "--resident", name]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def print_ratios(values: dict[str, float], unit: str) -> None:
    """One line a side, with its ratio to ours."""
    for name, value in values.items():
        ratio = "" if name == OURS or values[OURS] <= 0 else f", {value / values[OURS]:.2f}x ours"
        print(f"  {name}: {value:.4g} {unit}{ratio}")


def print_gradients(gradients: dict[str, Gradients], problem: Problem) -> None:
    """How the gradients of every side compare."""
    if problem.dtype in PUBLISHED_TOLERANCE:
        print("gradients against float64:")
        exact = exact_gradients(problem)
        for name, found in gradients.items():
            print_rounding(name, found, gradients[DENSE], exact)
        return
    print(
        "gradients against dense: largest difference over largest gradient, and worst row by norm:"
    )
    for name, found in gradients.items():
        if name != DENSE:
            print_agreement(name, found, gradients[DENSE])


def main() -> None:
    """Print time, memory and agreement of every side."""
    options = parsed()
    problem = Problem(
        positions=options.positions,
        hidden=options.hidden,
        vocabulary=options.vocabulary,
        dtype=getattr(torch, options.dtype),
        device=torch.device(options.device),
    )
    if options.write_table:
        write_table(problem.device, problem.dtype, machine(problem.device), options.repeats)
        return
    losses = sides(problem)
    if options.resident:
        print(resident_extra(losses[options.resident], problem))
        return
    print(
        f"N {problem.positions}, H {problem.hidden}, V {problem.vocabulary}, {options.dtype}, "
        f"{machine(problem.device)}; gradients of {problem.gradient_bytes / MIB:.0f} MiB are not "
        "counted as memory"
    )
    tensors = problem.tensors()
    extra, gradients = {}, {}
    for name, loss in losses.items():  # which also warms them up
        found, gradients[name] = allocator_extra(loss, tensors, problem)
        extra[name] = found / MIB
    print_gradients(gradients, problem)
    del tensors, gradients
    print("peak extra memory at the allocator:")
    print_ratios(extra, "MiB")
    if problem.device.type == "cpu":
        print("peak extra resident memory, a process a side:")
        print_ratios({name: resident_of(name) / MIB for name in losses}, "MiB")
    floor = floor_seconds(problem)
    taken = side_by_side(losses, problem, options.repeats)
    print(f"seconds, median of {options.repeats}; three products alone take {floor:.3g} s:")
    print_ratios(taken, "s")
    print(f"  three products alone: {floor / taken[OURS]:.0%} of our time")


if __name__ == "__main__":
    main()
