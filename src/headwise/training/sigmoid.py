"""Train a Sigmoid Head on a frozen language model with Transformers' Trainer."""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import EarlyStoppingCallback, Trainer, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from headwise.backbones import Backbone, EncodedPair, PromptTemplate
from headwise.data.batching import LengthBatchSampler, length_batches
from headwise.data.pairs import Pair
from headwise.errors import InputError, TrainingError
from headwise.heads import SigmoidHead, save_head
from headwise.training.model_card import sigmoid_head_card
from headwise.training.negatives import NegativeSampling, draw_negatives
from headwise.training.objective import sampled_binary_cross_entropy

# The published rate is for hidden states 4,096 wide; narrow ones need a larger one
_LEARNING_RATE_WIDE, _LEARNING_RATE_NARROW, _WIDE = 1e-4, 1e-3, 1024


@dataclass(frozen=True, slots=True)
class SigmoidTraining:
    """Settings of a run.

    Attributes:
        epochs: Passes over the training pairs at most.
        learning_rate: Peak of the cosine schedule; ``None`` for 1e-4 where hidden states are at
            least 1,024 wide and 1e-3 below.
        batch_tokens: Bound on the padded tokens of a batch.
        warmup_share: Share of the steps in which the learning rate rises.
        patience: Epochs without a lower dev loss before training stops.
        from_lm_head: Whether the head starts as a copy of the language model's unembedding.
        sampling: How negatives are drawn.
        seed: Of batches, negatives and initial weights.
    """

    epochs: int = 3
    learning_rate: float | None = None
    batch_tokens: int = 4096
    warmup_share: float = 0.05
    patience: int = 3
    from_lm_head: bool = True
    sampling: NegativeSampling = field(default_factory=NegativeSampling)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a run did.

    Attributes:
        train_pairs: Pairs trained on.
        dev_pairs: Pairs evaluated on.
        rejected: Pairs left out because they cannot be scored.
        targets: Target tokens an epoch.
        dev_losses: Dev loss after each epoch, in nats; the head kept has the lowest.
        seconds: Wall time.
        settings: The run's settings, nested in plain values.
    """

    train_pairs: int
    dev_pairs: int
    rejected: int
    targets: int
    dev_losses: list[float]
    seconds: float
    settings: dict[str, Any]


def train_sigmoid_head(
    backbone: Backbone,
    train: Sequence[Pair],
    dev: Sequence[Pair],
    output: str | Path,
    *,
    prompt: PromptTemplate,
    backbone_name: str,
    settings: SigmoidTraining = SigmoidTraining(),
) -> TrainingReport:
    """Train a Sigmoid Head and write it, with its card, to a folder.

    Checkpoints go to ``<output>/checkpoints``; the same call continues from the newest one.

    Args:
        backbone: The frozen language model.
        train: Pairs of a source and a correct hypothesis; no quality labels.
        dev: Pairs that decide when to stop and which epoch's head to keep.
        output: Folder of the head.
        prompt: How a pair is laid out; saved with the head.
        backbone_name: Name to record, so that the head finds its backbone again.
        settings: Everything else.

    Returns:
        What was done.

    Raises:
        TrainingError: If no pair can be scored, or the loss stops being a number.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680, section 3.
    """
    started = time.monotonic()
    output = Path(output)
    torch.manual_seed(settings.seed)
    head = SigmoidHead(
        vocabulary_size=backbone.vocabulary_size, hidden_size=backbone.hidden_size
    ).to(backbone.device)
    if settings.from_lm_head:
        head.initialise_from(backbone.unembedding.weight)
    train_codes, dev_codes = _encode(backbone, train, prompt), _encode(backbone, dev, prompt)
    for name, codes in (("train", train_codes), ("dev", dev_codes)):
        if not codes:
            raise TrainingError(f"The {name} data hold no pair that can be scored.")

    rate = settings.learning_rate or (
        _LEARNING_RATE_WIDE if backbone.hidden_size >= _WIDE else _LEARNING_RATE_NARROW
    )
    checkpoints = output / "checkpoints"
    trainer = _HeadTrainer(
        head,
        backbone,
        train_codes,
        dev_codes,
        settings,
        TrainingArguments(
            output_dir=str(checkpoints),
            num_train_epochs=settings.epochs,
            learning_rate=rate,
            lr_scheduler_type="cosine",
            warmup_steps=settings.warmup_share,
            weight_decay=0.0,
            max_grad_norm=1.0,
            use_cpu=backbone.device.type == "cpu",
            eval_strategy="epoch",
            save_strategy="epoch",
            save_total_limit=2,
            load_best_model_at_end=True,
            metric_for_best_model="eval_loss",
            greater_is_better=False,
            logging_steps=20,
            remove_unused_columns=False,
            report_to="none",
            disable_tqdm=False,  # a long run shows where it is, however quiet the rest is
            seed=settings.seed,
        ),
    )
    newest = get_last_checkpoint(str(checkpoints)) if checkpoints.is_dir() else None
    trainer.train(resume_from_checkpoint=newest)
    losses = [row["eval_loss"] for row in trainer.state.log_history if "eval_loss" in row]
    report = TrainingReport(
        train_pairs=len(train_codes),
        dev_pairs=len(dev_codes),
        rejected=len(train) + len(dev) - len(train_codes) - len(dev_codes),
        targets=sum(len(code.targets) for code in train_codes),
        dev_losses=losses,
        seconds=time.monotonic() - started,
        settings={**asdict(settings), "learning_rate": rate},
    )
    save_head(
        head,
        output,
        prompt=prompt.model_dump(),
        backbone=backbone_name,
        model_card=sigmoid_head_card(report, backbone_name, head),
    )
    return report


def _encode(backbone: Backbone, pairs: Sequence[Pair], prompt: PromptTemplate) -> list[EncodedPair]:
    codes = backbone.encode([(pair.source, pair.hypothesis) for pair in pairs], prompt)
    return [code for code in codes if not isinstance(code, InputError)]


def _as_batch(pairs: list[EncodedPair]) -> dict[str, Any]:
    return {"pairs": pairs}


class _HeadTrainer(Trainer):
    """`Trainer` over a head alone: the frozen backbone is no part of its model."""

    def __init__(
        self,
        head: SigmoidHead,
        backbone: Backbone,
        train: list[EncodedPair],
        dev: list[EncodedPair],
        settings: SigmoidTraining,
        arguments: TrainingArguments,
    ) -> None:
        super().__init__(
            model=head,
            args=arguments,
            train_dataset=train,
            eval_dataset=dev,
            data_collator=_as_batch,
            callbacks=[EarlyStoppingCallback(early_stopping_patience=settings.patience)],
        )
        # Its model takes no loss scaling by the number of items: the loss is a mean already
        self.model_accepts_loss_kwargs = False
        self._backbone, self._settings = backbone, settings
        self._train, self._dev = train, dev
        self._frequencies = torch.bincount(
            torch.tensor([target for code in train for target in code.targets]),
            minlength=backbone.vocabulary_size,
        ).to(backbone.device, torch.float32)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Batches of similar length, composed anew every epoch."""
        sampler = LengthBatchSampler(
            [len(code) for code in self._train],
            max_tokens=self._settings.batch_tokens,
            seed=self._settings.seed,
        )
        # A list is a map-style dataset in all but its type
        pairs: Any = self._train
        return DataLoader(pairs, batch_sampler=sampler, collate_fn=_as_batch)

    def compute_loss(self, model: nn.Module, inputs: dict[str, Any], *_: Any, **__: Any) -> Tensor:
        """Loss of one training batch; negatives depend on seed and step alone."""
        return self._loss(
            model, inputs["pairs"], seed=self._settings.seed + 1 + self.state.global_step
        )

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Mean loss over all dev positions, with the same negatives every time."""
        total, count = 0.0, 0
        head, lengths = self.model, [len(code) for code in self._dev]
        assert head is not None
        batches = length_batches(lengths, max_tokens=self._settings.batch_tokens)
        for index, batch in enumerate(batches):
            chosen = [self._dev[i] for i in batch]
            positions = sum(len(code.targets) for code in chosen)
            with torch.no_grad():
                loss = float(self._loss(head, chosen, seed=index))
            total, count = total + loss * positions, count + positions
        metrics = {f"{metric_key_prefix}_loss": total / count}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def _loss(self, head: nn.Module, batch: list[EncodedPair], *, seed: int) -> Tensor:
        backbone = self._backbone
        generator = torch.Generator(backbone.device).manual_seed(seed)
        with torch.no_grad():
            hidden = backbone.target_hidden(batch)  # (N, H)
            targets = torch.tensor(
                [target for code in batch for target in code.targets], device=hidden.device
            )
            negatives = draw_negatives(
                hidden,
                backbone.unembedding,
                self._frequencies,
                sampling=self._settings.sampling,
                generator=generator,
            )
        token_ids = torch.cat([targets.unsqueeze(1), negatives], dim=1)  # (N, 1+K)
        assert isinstance(head, SigmoidHead)
        loss = sampled_binary_cross_entropy(head.logits(hidden, token_ids), token_ids)
        if not math.isfinite(value := float(loss.detach())):
            raise TrainingError(
                f"The loss became {value} at step {self.state.global_step}; lower the "
                "learning rate. The checkpoints of the epochs before are kept."
            )
        return loss
