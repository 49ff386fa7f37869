"""How many positions of a vocabulary-wide computation fit into a byte budget."""

from collections.abc import Iterator

DEFAULT_WORKSPACE_BYTES = 128 * 2**20


def row_chunks(
    rows: int, *, bytes_per_row: int, workspace_bytes: int, fixed_bytes: int = 0
) -> Iterator[slice]:
    """Cut a number of rows into slices that each fit into a byte budget.

    Args:
        rows: Number of rows in all.
        bytes_per_row: What one row needs while it is worked on.
        workspace_bytes: Budget for one slice.
        fixed_bytes: What is needed besides, however many rows a slice has.

    Yields:
        Slices in order that cover all rows.

    Raises:
        ValueError: If not even one row fits.
    """
    size = (workspace_bytes - fixed_bytes) // bytes_per_row
    if size < 1:
        raise ValueError(
            f"`workspace_bytes` must be at least {bytes_per_row + fixed_bytes} to hold one "
            f"position of this vocabulary, got {workspace_bytes}."
        )
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))
