"""The task of learning from tokens: batches by length, whose losses several processes share."""

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import partial
from itertools import accumulate

import numpy as np
import torch
import torch.distributed
from torch import Tensor, nn

from headwise.backbones.encodings import length_batches
from headwise.features import FeatureBatch, FeatureSource
from headwise.metrics import roc_auc
from headwise.training.loop.batches import LengthBatchSampler
from headwise.training.loop.processes import Processes
from headwise.training.loop.settings import Criterion
from headwise.training.loop.trainer import TrainingTask

# The epoch whose negatives dev has at every evaluation; training counts from 0
_DEV_EPOCH = -1
# Tokens that are read at once where nothing is computed
_SAMPLE_BATCH = 16384


class TokenLoss(nn.Module, ABC):
    """A head and what it learns of tokens, as the module that is trained."""

    @abstractmethod
    def forward(self, batch: FeatureBatch, epoch: int) -> tuple[Tensor, Tensor]:
        """Sum of weighted losses and sum of weights, two scalars."""

    @abstractmethod
    def token_scores(self, batch: FeatureBatch) -> dict[str, Tensor]:
        """Scores of ``right`` tokens and of wrong ones by what they are, each ``(n,)``."""


def token_task(
    loss: TokenLoss,
    train: FeatureSource,
    dev: FeatureSource,
    *,
    batch_tokens: int,
    criterion: Criterion,
    seed: int,
    device: torch.device,
    processes: Processes = Processes(0, 1),
    optimizer: torch.optim.Optimizer | None = None,
) -> TrainingTask:
    """Learn from features of tokens, in batches of at most so many padded tokens.

    Dev is measured by the mean loss over all positions and by how well scores tell wrong tokens
    from right ones. Several processes share every batch.
    """
    dev_batches = length_batches(dev.lengths, max_tokens=batch_tokens)

    def batch_loss(model: nn.Module, indices: list[int], epoch: int) -> Tensor:
        mine = indices[processes.number :: processes.count]
        total, weight = model(train.batch(mine or indices[:1]).to(device), epoch)
        if not mine:  # the batch has fewer examples than there are processes
            total, weight = 0.0 * total, 0.0 * weight
        weight = weight.detach()
        if processes.count > 1:
            torch.distributed.all_reduce(weight)
        # Gradients are averaged over the processes; the sum over all of them is wanted
        mean: Tensor = total * processes.count / weight
        return mean

    @torch.no_grad()
    def measure_dev() -> tuple[float, partial[dict[str, float]]]:
        loss.eval()
        total = weight = 0.0
        scores: dict[str, list[Tensor]] = {}
        for indices in dev_batches:
            features = dev.batch(indices).to(device)
            parts = loss(features, _DEV_EPOCH)
            total, weight = total + float(parts[0]), weight + float(parts[1])
            for name, values in loss.token_scores(features).items():
                scores.setdefault(name, []).append(values.cpu())
        return total / weight, partial(_separation, scores)

    return TrainingTask(
        model=loss,
        sampler=LengthBatchSampler(train.lengths, max_tokens=batch_tokens, seed=seed),
        sizes=train.counts,
        batch_loss=batch_loss,
        measure_dev=measure_dev,
        criterion=criterion,
        higher_is_better=criterion is Criterion.AUROC,
        optimizer=optimizer,
    )


def sampled_batches(source: FeatureSource, *, positions: int, seed: int) -> Iterator[FeatureBatch]:
    """About so many positions of a source, in whole texts at random: neighbours are often alike."""
    order = list(range(len(source.counts)))
    random.Random(seed).shuffle(order)
    before = accumulate((source.counts[index] for index in order), initial=0)
    chosen = [index for index, count in zip(order, before, strict=False) if count < positions]
    lengths = [source.lengths[index] for index in chosen]
    for places in length_batches(lengths, max_tokens=_SAMPLE_BATCH):
        yield source.batch([chosen[place] for place in places])


def _separation(scores: dict[str, list[Tensor]]) -> dict[str, float]:
    """ROC AUC of right against wrong tokens: of each kind of wrong ones, and their mean."""
    joined = {name: torch.cat(values).float().numpy() for name, values in scores.items()}
    right = joined.pop("right")
    found = {
        name: roc_auc(
            np.concatenate((right, wrong)), np.repeat([True, False], [len(right), len(wrong)])
        ).value
        for name, wrong in joined.items()
    }
    known = {f"auroc_{name}": value for name, value in found.items() if value is not None}
    return known | ({"auroc": sum(known.values()) / len(known)} if known else {})
