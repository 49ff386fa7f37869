"""What an error head learns: which tokens are wrong, and where something is missing."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from headwise.features import FeatureBatch
from headwise.features.batch import pair_numbers
from headwise.heads import ErrorHead
from headwise.training.loop.tokens import TokenLoss

# Name of wrong tokens of no family
MARKED = "marked"


class ClassWeights(NamedTuple):
    """Weights of what is right and of what is wrong."""

    right: float = 1.0
    wrong: float = 1.0


class ErrorLoss(TokenLoss):
    """An error head and its binary cross-entropy, as the module that is trained.

    The language model's ``unembedding``, ``(V, H)``, is frozen. ``missing_weight`` is that of the
    loss on gaps against that on tokens. ``token_weights`` are of right and wrong tokens,
    ``gap_weights`` of places where nothing, or something, is missing.
    ``families`` says of each dev pair, by its number, what kind of error it has, ``None`` for none;
    without them, all wrong tokens are of one kind.
    """

    unembedding: Tensor

    def __init__(
        self,
        head: ErrorHead,
        unembedding: Tensor,
        *,
        missing_weight: float = 0.5,
        token_weights: ClassWeights = ClassWeights(),
        gap_weights: ClassWeights = ClassWeights(),
        families: Sequence[str | None] | None = None,
    ) -> None:
        super().__init__()
        self.head = head
        # It is the language model's own, and no part of a checkpoint
        self.register_buffer("unembedding", unembedding.detach(), persistent=False)
        self._missing_weight = missing_weight
        self._token_weights, self._gap_weights = token_weights, gap_weights
        self._names = [MARKED]
        self._family_of: Tensor | None = None
        if families is not None:
            self._names = sorted({family for family in families if family is not None})
            numbers = [-1 if one is None else self._names.index(one) for one in families]
            self._family_of = torch.tensor(numbers)

    def logits(self, batch: FeatureBatch) -> Tensor:
        """Both outputs of the head for a batch, ``(N, 2)``, float32."""
        return self.head.logits(
            batch.hidden,
            self.unembedding.index_select(0, batch.targets),
            batch.counts,
            statistics=batch.statistics if self.head.statistics else None,
        )

    def forward(self, batch: FeatureBatch, epoch: int) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """Sum of weighted losses and number of positions, two scalars.

        A token counts where it is known whether it is wrong, a gap where it is known whether
        something is missing.
        """
        logits, known = self.logits(batch), known_tokens(batch)
        tokens = max(1, int(known.sum()))  # a batch may know nothing
        total = _cross_entropy(logits[known, 0], wrong_tokens(batch)[known], self._token_weights)
        told = batch.missing_known
        if batch.missing is not None and told is not None and self._missing_weight:
            gaps = _cross_entropy(logits[told, 1], batch.missing[told], self._gap_weights)
            total = total + self._missing_weight * gaps
        return total, logits.new_tensor(float(tokens))

    @torch.no_grad()
    def token_scores(self, batch: FeatureBatch) -> dict[str, Tensor]:
        """Scores of right tokens and of the wrong ones of each family, the higher the better.

        Tokens that close a text are left out: they are right in almost any text. So are those of
        which nobody knows what they are.
        """
        tokens = ~batch.closing & known_tokens(batch)
        scores, wrong = -self.logits(batch)[tokens, 0], wrong_tokens(batch)[tokens]
        found = {"right": scores[~wrong]}
        if self._family_of is None:
            return found | {MARKED: scores[wrong]}
        families = self._family_of.to(wrong.device)[pair_numbers(batch.keys[tokens])]
        return found | {
            name: scores[wrong & (families == number)] for number, name in enumerate(self._names)
        }


def wrong_tokens(batch: FeatureBatch) -> Tensor:
    """Which tokens are wrong, ``(N,)``, bool; none where nobody looked."""
    if batch.errors is None:
        return torch.zeros_like(batch.targets, dtype=torch.bool)
    return batch.errors


def known_tokens(batch: FeatureBatch) -> Tensor:
    """Of which tokens it is known whether they are wrong, ``(N,)``, bool."""
    if batch.errors_known is None:
        return torch.ones_like(batch.targets, dtype=torch.bool)
    return batch.errors_known


def _cross_entropy(logits: Tensor, labels: Tensor, weights: ClassWeights) -> Tensor:
    """Sum over positions, weighted by class, a scalar."""
    each = torch.where(labels, weights.wrong, weights.right)
    return F.binary_cross_entropy_with_logits(logits, labels.float(), each, reduction="sum")
