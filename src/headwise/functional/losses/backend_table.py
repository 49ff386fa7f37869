"""Seconds that the backends of linear cross-entropy take; a benchmark writes this file.

Nothing is measured yet: ``python benchmarks/bench_linear_cross_entropy.py --write-table``.
"""

SECONDS: dict[tuple[str, str, int], dict[str, float]] = {}
"""By device type, dtype and vocabulary size, then by backend."""

MACHINES: dict[tuple[str, str], str] = {}
"""What the rows of a device type and dtype were measured on."""
