"""Transformers' Trainer over a head alone: the frozen backbone is no part of its model."""

import math
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
import torch.distributed
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader
from transformers import EarlyStoppingCallback, PrinterCallback, Trainer, TrainingArguments

from headwise.data.batching import LengthBatchSampler
from headwise.errors import TrainingError
from headwise.features import FeatureBatch, FeatureSource
from headwise.functional import LargestDrop
from headwise.functional.length_batches import length_batches
from headwise.functional.logit_chunks import LogitFunction
from headwise.heads import QualityHead
from headwise.metrics import roc_auc
from headwise.training.index_batches import IndexBatches, Numbers, as_batch
from headwise.training.negatives import draw_negatives
from headwise.training.objective import (
    LossParts,
    Objective,
    avoided_tokens,
    full_loss,
    ranking_loss,
    sampled_loss,
)
from headwise.training.settings import Criterion
from headwise.training.wrong_tokens import frequent_wrong_tokens, unlikely_wrong_tokens

# The epoch whose negatives dev has at every evaluation; training counts from 0
_DEV_EPOCH = -1


@runtime_checkable
class TokenLoss(Protocol):
    """A head and what it learns, as :class:`HeadTrainer` needs them; a module."""

    def __call__(self, batch: FeatureBatch, epoch: int) -> tuple[Tensor, Tensor]:
        """Sum of weighted losses and sum of weights, two scalars."""
        ...

    def eval(self) -> object:
        """Leave out what is for training alone, until Trainer's next step."""
        ...

    def token_scores(self, batch: FeatureBatch) -> dict[str, Tensor]:
        """Scores of ``right`` tokens and of wrong ones by what they are, each ``(n,)``."""
        ...


class TokenLossSettings(Protocol):
    """What the settings of such a run say."""

    @property
    def batch_tokens(self) -> int:
        """Bound on the padded tokens of a batch, over all processes."""
        ...

    @property
    def patience(self) -> int:
        """Evaluations without an improvement before training stops."""
        ...

    @property
    def criterion(self) -> Criterion:
        """What counts as one."""
        ...

    @property
    def seed(self) -> int:
        """Of the batches."""
        ...


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


class HeadTrainer(Trainer):
    """Batches by length, losses that several processes share, and evaluation on dev.

    Attributes:
        targets_read: Target positions of all batches so far, over all processes.

    Args:
        model: What is trained, a :class:`TokenLoss`.
        train: Features to learn from.
        dev: Features to evaluate on.
        settings: Of the run.
        arguments: Transformers' own.
        optimizer: Instead of Transformers' choice.
    """

    def __init__(
        self,
        model: nn.Module,
        train: FeatureSource,
        dev: FeatureSource,
        settings: TokenLossSettings,
        arguments: TrainingArguments,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        super().__init__(
            model=model,
            args=arguments,
            train_dataset=Numbers(len(train.lengths)),
            eval_dataset=Numbers(len(dev.lengths)),
            data_collator=as_batch,
            optimizers=(optimizer, None),
            callbacks=[EarlyStoppingCallback(early_stopping_patience=settings.patience)],
        )
        self.remove_callback(PrinterCallback)
        # The loss is a mean already, whatever the number of items
        self.model_accepts_loss_kwargs = False
        self._train, self._dev = train, dev
        self.targets_read = 0
        self._criterion = settings.criterion
        self._dev_batches = length_batches(dev.lengths, max_tokens=settings.batch_tokens)
        self._sampler = LengthBatchSampler(
            train.lengths, max_tokens=settings.batch_tokens, seed=settings.seed
        )

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Batches of similar length, composed anew every epoch; the same in every process."""
        return IndexBatches(
            Numbers(len(self._train.counts)), batch_sampler=self._sampler, collate_fn=as_batch
        )

    def _get_grad_norm(self, *_: Any, **__: Any) -> None:
        """None: it would be for the log alone, and cost a pass over the head."""

    def compute_loss(self, model: nn.Module, inputs: dict[str, Any], *_: Any, **__: Any) -> Tensor:
        """Mean loss of one batch; this process computes its share of the examples."""
        mine = inputs["indices"][self.args.process_index :: self.args.world_size]
        if mine:
            self.targets_read += sum(self._train.counts[i] for i in inputs["indices"])
            features = self._train.batch(mine).to(self.args.device)
            total, weight = model(features, self._sampler.epoch)
        else:  # the batch has fewer examples than there are processes
            nothing = self._train.batch(inputs["indices"][:1]).to(self.args.device)
            total, weight = (0.0 * part for part in model(nothing, self._sampler.epoch))
        weight = weight.detach()
        if self.args.world_size > 1:
            torch.distributed.all_reduce(weight)
        # Gradients are averaged over the processes; the sum over all of them is wanted
        loss: Tensor = total * self.args.world_size / weight
        if not math.isfinite(value := float(loss.detach())):
            raise TrainingError(
                f"The loss became {value} at step {self.state.global_step} of epoch "
                f"{self._sampler.epoch + 1}; lower the learning rate. {self._kept()}"
            )
        return loss

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Mean loss over all dev positions and how well scores tell wrong tokens from right."""
        model = self._unwrapped()
        model.eval()
        total = weight = 0.0
        scores: dict[str, list[Tensor]] = {}
        for indices in self._dev_batches:
            features = self._dev.batch(indices).to(self.args.device)
            with torch.no_grad():
                parts = model(features, _DEV_EPOCH)
            total, weight = total + float(parts[0]), weight + float(parts[1])
            for name, values in model.token_scores(features).items():
                scores.setdefault(name, []).append(values.cpu())
        if not math.isfinite(total / weight):
            raise TrainingError(
                f"The dev loss became {total / weight} at step {self.state.global_step}; lower "
                f"the learning rate. {self._kept()}"
            )
        metrics = {"loss": total / weight} | _separation(scores)
        if self._criterion not in metrics:
            raise TrainingError(
                "The dev data have no wrong token that scores could be told from; decide by the "
                "loss instead."
            )
        named = {f"{metric_key_prefix}_{name}": value for name, value in metrics.items()}
        self.log(named)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, named)
        return named

    def _unwrapped(self) -> TokenLoss:
        model = self.model
        if isinstance(model, DistributedDataParallel):
            model = model.module
        assert isinstance(model, TokenLoss)
        return model

    def _kept(self) -> str:
        best = self.state.best_model_checkpoint
        return (
            f"The best checkpoint so far is {best}."
            if best
            else "It happened before the first checkpoint, so that none is kept."
        )


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
