"""A head and its objective as the module that is trained; the frozen backbone is no part of it."""

from dataclasses import replace

import torch
from torch import Tensor

from headwise.features import FeatureBatch
from headwise.functional import LargestDrop
from headwise.functional.counter_noise import mixed_keys
from headwise.functional.dominant_tokens import unlikely_tokens
from headwise.functional.logit_chunks import LogitFunction
from headwise.functional.negative_sampling import gumbel_top_k, shared_draws
from headwise.heads import QualityHead, SharedUnembeddingHead
from headwise.training.loop.tokens import TokenLoss
from headwise.training.sigmoid.negatives import draw_negatives
from headwise.training.sigmoid.objective import (
    LossParts,
    avoided_tokens,
    full_loss,
    ranking_loss,
    sampled_loss,
)
from headwise.training.sigmoid.objective_settings import Objective

# Noise of its own, and the same at every evaluation
_FREQUENT, _UNLIKELY = -2, -3


class HeadLoss(TokenLoss):
    """A head and what it learns, as the module that is trained; the unembedding is frozen.

    ``frequencies`` says how often each token is a target in the training data, ``(V,)``.
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
                self._of_last_layer(batch),
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

    def _of_last_layer(self, batch: FeatureBatch) -> FeatureBatch:
        """The batch with what enters the output layer alone; heads of two layers have it first."""
        if not isinstance(self.head, SharedUnembeddingHead):
            return batch
        return replace(batch, hidden=batch.hidden[:, : self.head.hidden_size])

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


# Only the token itself is wrong: nothing has to be read by the model again
def frequent_wrong_tokens(batch: FeatureBatch, avoided: Tensor, frequencies: Tensor) -> Tensor:
    """A token drawn by frequency for each position, neither its target nor to be avoided.

    Those ``avoided`` may be right, ``(N, A)``, -1 for none; ``frequencies`` counts the targets in
    the training data, ``(V,)``. The token ids are ``(N,)``, -1 where there is none.
    """
    others = avoided.masked_fill(avoided == batch.targets.unsqueeze(1), -1)
    tabu = torch.cat([others, batch.targets.unsqueeze(1)], dim=1)
    return shared_draws(frequencies, tabu, 1, keys=mixed_keys(batch.keys, _FREQUENT)).squeeze(1)


def unlikely_wrong_tokens(batch: FeatureBatch, avoided: Tensor) -> Tensor:
    """A token that the language model finds possible but unlikely for each position.

    Those ``avoided`` may be right, the most probable ones, ``(N, A)``, -1 for none. The token ids
    are ``(N,)``, -1 where there is none.
    """
    drawable = unlikely_tokens(batch.top_log_probs.exp(), (avoided >= 0).sum(-1))
    drawable &= batch.top_ids != batch.targets.unsqueeze(1)
    law = batch.top_log_probs.masked_fill(~drawable, -torch.inf)
    chosen = gumbel_top_k(law, 1, keys=mixed_keys(batch.keys, _UNLIKELY))
    return batch.top_ids.gather(1, chosen.clamp(min=0)).masked_fill(chosen < 0, -1).squeeze(1)
