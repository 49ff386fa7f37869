"""Which items go into one padded batch."""

from collections.abc import Sequence


def length_batches(lengths: Sequence[int], *, max_tokens: int) -> list[list[int]]:
    """Split items into batches of similar length whose padded size stays under a budget.

    ``max_tokens`` bounds ``items * longest item``; a longer item gets a batch of its own. Batches
    hold each index into ``lengths`` once, longest items first, so that a batch that does not fit
    into memory fails at once.

    Raises:
        ValueError: If ``max_tokens`` is less than 1.
    """
    if max_tokens < 1:
        raise ValueError(f"`max_tokens` must be at least 1, got {max_tokens}.")
    batches: list[list[int]] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not batches or (len(batches[-1]) + 1) * longest > max_tokens:
            batches.append([])
            # Texts without tokens count as one, or a batch of them would have no bound
            longest = max(lengths[index], 1)
        batches[-1].append(index)
    return batches
