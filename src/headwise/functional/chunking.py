"""How many positions of a vocabulary-wide computation fit into a byte budget."""

from collections.abc import Iterator

DEFAULT_WORKSPACE_BYTES = 128 * 2**20


def row_chunks(
    rows: int,
    *,
    bytes_per_row: int,
    workspace_bytes: int,
    fixed_bytes: int = 0,
    most: int | None = None,
) -> Iterator[slice]:
    """Cut a number of rows into slices, in order, that each fit into a byte budget.

    ``fixed_bytes`` are needed besides, however many rows a slice has; it has ``most`` at most.

    Raises:
        ValueError: If not even one row fits.
    """
    size = (workspace_bytes - fixed_bytes) // bytes_per_row
    if size < 1:
        raise ValueError(
            f"`workspace_bytes` must be at least {bytes_per_row + fixed_bytes} to hold one "
            f"position of this vocabulary, got {workspace_bytes}."
        )
    size = min(size, most or size)
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))
