"""A pair as token ids, with the place of every scored token in the text."""

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
            targets without the closing ones.
        source_ids: Token ids that the encoder reads, for encoder-decoder models.
    """

    input_ids: tuple[int, ...]
    first: int
    targets: tuple[int, ...]
    ranges: tuple[tuple[int, int], ...]
    source_ids: tuple[int, ...] = ()

    def __len__(self) -> int:
        """The number of tokens that the model has to read."""
        return len(self.input_ids) + len(self.source_ids)


def pad_right(rows: list[tuple[int, ...]], *, device: torch.device) -> tuple[Tensor, Tensor]:
    """Stack rows of ids into ``(B, T)`` with a mask of the same shape, 1 for real tokens.

    The filling repeats each row's last token: a padding token would make Transformers warn of a
    missing mask where, behind causal attention, none is needed.
    """
    width = max(map(len, rows))
    ids = torch.tensor([row + row[-1:] * (width - len(row)) for row in rows], device=device)
    lengths = torch.tensor([[len(row)] for row in rows], device=device)
    return ids, (torch.arange(width, device=device) < lengths).long()


def target_rows(hidden: Tensor, pairs: list[EncodedPair], *, skipped: int = 0) -> Tensor:
    """Pick the hidden states that predict the targets.

    Args:
        hidden: Hidden states of a batch, ``(B, T, H)``.
        pairs: Its B pairs.
        skipped: How many positions at the start of every pair ``hidden`` lacks.

    Returns:
        ``(N, H)``, the targets of the first pair first.
    """
    rows = torch.cat([torch.full((len(pair.targets),), index) for index, pair in enumerate(pairs)])
    columns = torch.cat(
        [
            torch.arange(pair.first - skipped, pair.first - skipped + len(pair.targets))
            for pair in pairs
        ]
    )
    return hidden[rows.to(hidden.device), columns.to(hidden.device)]
