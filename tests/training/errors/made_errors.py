"""Features of random numbers in which some tokens can be told to be wrong."""

from collections.abc import Sequence

import torch

from headwise.features import FeatureBatch
from headwise.features.batch import position_keys


class MadeErrors:
    """Texts whose wrong tokens do not point where their hidden state does."""

    has_errors = True

    def __init__(
        self,
        texts: int,
        *,
        seed: int,
        hidden_size: int = 8,
        missing: bool = True,
        unknown: int = 0,
        closed: bool = False,
        unsure: bool = False,
    ) -> None:
        """Texts; of every ``unknown``-th nobody knows the gaps; the last token may close them.

        Of every third token, nobody may know whether it is wrong.
        """
        generator = torch.Generator().manual_seed(seed)
        self.counts = torch.randint(1, 9, (texts,), generator=generator).tolist()
        self.lengths, self.pairs = list(self.counts), list(range(texts))
        self.has_missing, self._unsure = missing, unsure
        self.weight = torch.randn(20, hidden_size, generator=torch.Generator().manual_seed(0))
        self._rows = []
        for number, count in enumerate(self.counts):
            targets = torch.randint(0, 20, (count,), generator=generator)
            wrong = torch.rand(count, generator=generator) < 0.3
            noise = 0.3 * torch.randn(count, hidden_size, generator=generator)
            hidden = torch.where(wrong, -1.0, 1.0).unsqueeze(1) * self.weight[targets] + noise
            gaps = wrong & (torch.rand(count, generator=generator) < 0.5)
            known = torch.full((count,), not unknown or number % unknown != 0)
            closing = closed & (torch.arange(count) == count - 1)
            self._rows.append((hidden, targets, wrong, gaps, known, closing))

    def target_counts(self, vocabulary_size: int) -> torch.Tensor:
        raise NotImplementedError

    def batch(self, indices: Sequence[int]) -> FeatureBatch:
        hidden, targets, wrong, gaps, known, closing = (
            torch.cat(part) for part in zip(*(self._rows[i] for i in indices), strict=True)
        )
        counts = tuple(self.counts[i] for i in indices)
        return FeatureBatch(
            hidden=hidden,
            targets=targets,
            keys=position_keys([self.pairs[i] for i in indices], counts),
            top_ids=targets.unsqueeze(1),
            top_log_probs=torch.zeros(len(targets), 1),
            entropy=torch.zeros(len(targets)),
            errors=wrong,
            counts=counts,
            closing=closing,
            missing=gaps if self.has_missing else None,
            missing_known=known if self.has_missing else None,
            errors_known=targets % 3 != 0 if self._unsure else None,
        )
