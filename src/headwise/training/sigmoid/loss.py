"""Transformers' Trainer over a head alone: the frozen backbone is no part of its model."""

import torch
import torch.distributed
from torch import Tensor, nn

from headwise.features import FeatureBatch
from headwise.functional import LargestDrop
from headwise.functional.logit_chunks import LogitFunction
from headwise.heads import QualityHead
from headwise.training.sigmoid.negatives import draw_negatives
from headwise.training.sigmoid.objective import (
    LossParts,
    Objective,
    avoided_tokens,
    full_loss,
    ranking_loss,
    sampled_loss,
)
from headwise.training.sigmoid.wrong_tokens import (
    frequent_wrong_tokens,
    unlikely_wrong_tokens,
)


class HeadLoss(nn.Module):
    """A head and what it learns, as the module that is trained.

    Args:
        head: The head.
        objective: The loss.
        frequencies: How often each token is a target in the training data, ``(V,)``.
        unembedding: The language model's output layer; frozen.
        seed: Of the negatives.
    """

    frequencies: Tensor

    def __init__(
        self,
        head: QualityHead,
        objective: Objective,
        frequencies: Tensor,
        unembedding: LogitFunction,
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self.head, self._objective = head, objective
        self._unembedding, self._seed = unembedding, seed
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, batch: FeatureBatch, epoch: int) -> tuple[Tensor, Tensor]:
        """Sum of weighted losses and sum of weights, two scalars."""
        objective = self._objective
        avoided = avoided_tokens(batch, objective.avoid)
        if objective.negatives is None:
            loss = full_loss(
                self.head, batch, avoided, objective, vocabulary_size=len(self.frequencies)
            )
        else:
            negatives = draw_negatives(
                batch,
                avoided,
                sampling=objective.negatives,
                frequencies=self.frequencies,
                unembedding=self._unembedding,
                seed=self._seed,
                epoch=epoch,
            )
            loss = sampled_loss(self.head, batch, negatives, objective)
        if objective.margin_weight:
            dominant = avoided_tokens(batch, objective.avoid or LargestDrop())
            ranking = ranking_loss(self.head, batch, dominant, objective)
            share = objective.margin_weight * loss.weight / ranking.weight.clamp(min=1.0)
            loss = LossParts(loss.total + share * ranking.total, loss.weight)
        return loss.total, loss.weight

    @torch.no_grad()
    def token_scores(self, batch: FeatureBatch) -> dict[str, Tensor]:
        """Scores of right tokens and of wrong ones, each ``(n,)``, by what they are."""
        avoided = avoided_tokens(batch, self._objective.avoid)
        wrong = {
            "crude": frequent_wrong_tokens(batch, avoided, self.frequencies),
            "plausible": unlikely_wrong_tokens(batch, avoided),
        }
        own = self.head.logits(batch.hidden, batch.targets)
        if batch.errors is not None:
            return {"right": own[~batch.errors], "marked": own[batch.errors]}
        scores = {"right": own}
        for name, token_ids in wrong.items():
            there = token_ids >= 0
            scores[name] = self.head.logits(batch.hidden[there], token_ids[there])
        return scores
