"""Seconds that the backends of linear cross-entropy take; a benchmark wrote this file.

Forward and backward pass of 2048 positions, H 512. Written by
``python benchmarks/bench_linear_cross_entropy.py --write-table``.
"""

SECONDS: dict[tuple[str, str, int], dict[str, float]] = {
    ("cpu", "float32", 1000): {
        "core": 0.036408,
        "torch": 0.033125,
    },
    ("cpu", "float32", 8000): {
        "core": 0.323627,
        "torch": 0.237342,
    },
    ("cpu", "float32", 32000): {
        "core": 1.843134,
        "torch": 1.034074,
    },
    ("cpu", "float32", 128000): {
        "core": 24.498841,
        "torch": 4.513397,
    },
}
"""By device type, dtype and vocabulary size, then by backend."""

MACHINES: dict[tuple[str, str], str] = {
    ("cpu", "float32"): "torch 2.13.0+cpu, 2 CPU threads, linux",
}
"""What the rows of a device type and dtype were measured on."""
