"""What an error head says of positions, some of which it does not read."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from headwise.functional.vocabulary_statistics import VocabularyStatistics
from headwise.heads import ErrorHead


@dataclass(frozen=True, slots=True)
class ErrorSignals:
    """Probabilities of N positions; ``None`` where the head reads nothing.

    Attributes:
        wrong: That the token is wrong.
        missing: That something is missing in the gap *before* it.
        omission: That something is missing in the gap *after* it; ``None`` at the end of a text
            too.
    """

    wrong: list[float | None]
    missing: list[float | None]
    omission: list[float | None]


def error_signals(
    head: ErrorHead,
    hidden: Tensor,
    rows: Tensor,
    texts: Sequence[Sequence[int]],
    *,
    statistics: VocabularyStatistics | None,
    ended: bool,
) -> ErrorSignals:
    """Let an error head read texts.

    Args:
        head: What reads.
        hidden: Hidden states that predict the tokens, ``(N, H)``.
        rows: The tokens' rows of the unembedding, ``(N, H)``.
        texts: For each text the positions that are read, in order.
        statistics: Of the N positions, if the head reads them.
        ended: Whether the texts are whole.
    """
    places = [place for text in texts for place in text]
    index = torch.tensor(places, dtype=torch.long, device=hidden.device)
    numbers = None
    if head.statistics:
        assert statistics is not None
        assert statistics.entropy is not None
        assert statistics.rank is not None
        ranks = statistics.rank.float().log()
        numbers = torch.stack([statistics.log_prob, statistics.entropy, ranks], dim=-1)[index]
    scores = head.score(
        hidden[index], rows[index], [len(text) for text in texts], statistics=numbers, ended=ended
    )
    count = len(hidden)
    found = ErrorSignals([None] * count, [None] * count, [None] * count)
    for place, (wrong, missing) in zip(places, scores.tolist(), strict=True):
        found.wrong[place], found.missing[place] = wrong, missing
    for text in texts:
        for place, following in pairwise(text):
            found.omission[place] = found.missing[following]
    return found
