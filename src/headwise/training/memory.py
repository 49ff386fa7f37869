"""The most memory that a run held."""

import resource
import sys

import torch


def reset_peak_memory(device: torch.device) -> None:
    """Forget the accelerator's peak so far; that of a process cannot be forgotten."""
    if device.type != "cpu":
        torch.accelerator.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> int:
    """Bytes: what the accelerator held at most, or on a CPU the whole process since it began."""
    if device.type != "cpu":
        return int(torch.accelerator.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
