"""Texts as token ids, and batches of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class EncodedPair:
    """What a backbone reads to score one hypothesis, and what is scored.

    Attributes:
        input_ids: Token ids that the causal model or the decoder reads.
        first: Index into ``input_ids`` of the position that predicts the first target; the
            following targets are predicted by the following positions.
        targets: The tokens to score: those of the hypothesis, then the closing special ones.
        ranges: Character range in the hypothesis of each of its tokens; as many as there are
            targets without the closing ones. Empty for white space that is not the hypothesis'.
        source_ids: Token ids that the encoder reads, for encoder-decoder models.
    """

    input_ids: tuple[int, ...]
    first: int
    targets: tuple[int, ...]
    ranges: tuple[tuple[int, int], ...]
    source_ids: tuple[int, ...] = ()

    def __len__(self) -> int:
        """The number of tokens that the model has to read."""
        return sum(self.lengths)

    @property
    def lengths(self) -> tuple[int, int]:
        """Tokens that the causal model or decoder reads, and those that the encoder reads."""
        return len(self.input_ids), len(self.source_ids)


@dataclass(frozen=True, slots=True)
class EncodedText:
    """A text, or two that are read together, as token ids.

    Attributes:
        input_ids: Token ids, the tokeniser's own control tokens included.
        token_type_ids: Which text each token belongs to; empty for models that do not ask.
    """

    input_ids: tuple[int, ...]
    token_type_ids: tuple[int, ...] = ()

    def __len__(self) -> int:
        """The number of tokens that the model has to read."""
        return len(self.input_ids)


def stack_rows(
    rows: Sequence[tuple[int, ...]], *, device: torch.device, filling: int | None = None
) -> tuple[Tensor, Tensor]:
    """Stack rows of ids into ``(B, T)`` with a mask of the same shape, 1 for real tokens.

    By default each row's last token fills it up: a padding token would make Transformers warn of
    a missing mask where, behind causal attention, none is needed.
    """
    width = max(map(len, rows))
    ends = [row[-1:] if filling is None else (filling,) for row in rows]
    filled = [row + end * (width - len(row)) for row, end in zip(rows, ends, strict=True)]
    ids = torch.tensor(filled, device=device)
    lengths = torch.tensor([[len(row)] for row in rows], device=device)
    return ids, (torch.arange(width, device=device) < lengths).long()


def target_rows(hidden: Tensor, pairs: list[EncodedPair], *, skipped: int = 0) -> Tensor:
    """Pick from ``(B, T, H)`` what predicts the targets of B pairs, ``(N, H)``, pair after pair.

    ``skipped`` is how many positions at the start of every pair ``hidden`` lacks.
    """
    counts = torch.tensor([len(pair.targets) for pair in pairs])
    rows = torch.arange(len(pairs)).repeat_interleave(counts)
    starts = [pair.first - skipped for pair in pairs]
    columns = torch.cat([torch.arange(a, a + n) for a, n in zip(starts, counts, strict=True)])
    return hidden[rows.to(hidden.device), columns.to(hidden.device)]


def stack_codes(
    codes: Sequence[EncodedText], *, padding_id: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Stack a batch of at least one text, padded on the right.

    RoBERTa and its kin count positions by all ids but ``padding_id``.

    Returns:
        Token ids, mask of real tokens, and token types (``None`` if the codes have none), each
        ``(B, T)``, int64.
    """
    ids, mask = stack_rows([code.input_ids for code in codes], filling=padding_id, device=device)
    if not codes[0].token_type_ids:
        return ids, mask, None
    types, _ = stack_rows([code.token_type_ids for code in codes], filling=0, device=device)
    return ids, mask, types


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
