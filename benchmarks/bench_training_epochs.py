"""Five epochs of training a Sigmoid Head, against a trainer that follows the method to the letter.

The plain trainer runs the frozen model in every epoch, asks it for its logits and all hidden
states, and draws negatives and computes the loss over the whole vocabulary. Both sides start from
the same head and have the same batches, learning rates and number of epochs; our time includes
the extraction of features, checkpoints and the report.

By default, we cut the softmax that negatives are drawn from to its most probable tokens. That is
another objective, with harder negatives; so we also train with the whole softmax, and there the
two sides must learn the same.
"""

import argparse
import math
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

# Only local folders are read
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from torch import Tensor
from transformers import get_cosine_schedule_with_warmup

from comparison import device_line, load_pairs
from dense_pipeline import dominant_mask, drawn_negatives, gathered_loss
from headwise import QualityEstimator
from headwise.backbones import NAMED_PROMPTS, CausalBackbone, EncodedPair
from headwise.backbones.encodings import length_batches, stack_rows, target_rows
from headwise.data.records.pairs import Pair
from headwise.features import LiveFeatures, encode_examples
from headwise.heads import QualityHead, SigmoidHead, load_head
from headwise.training.loop.batches import LengthBatchSampler
from headwise.training.loop.settings import FeatureChoice
from headwise.training.sigmoid.loss import HeadLoss
from headwise.training.sigmoid.objective_settings import NegativeSampling, Objective
from headwise.training.sigmoid.report import TrainingReport
from headwise.training.sigmoid.settings import SigmoidTraining
from headwise.training.sigmoid.train import train_sigmoid_head

MODEL, PROMPT = "tiny-en-de", NAMED_PROMPTS["tiny"]
DEV_EPOCH = -1
OBJECTIVES = {
    "the softmax's first 128": Objective(),
    "the whole softmax": Objective(negatives=NegativeSampling(candidates=None)),
}
# Nats. With other random numbers, runs of one side differ by about 0.01
TOLERANCE = 0.03


class PlainTrainer:
    """The method's own pipeline around a frozen Transformers model.

    Attributes:
        head: What is trained, from the model's own unembedding on.
    """

    def __init__(
        self,
        backbone: CausalBackbone,
        train: Sequence[EncodedPair],
        dev: Sequence[EncodedPair],
        settings: SigmoidTraining,
        *,
        learning_rate: float,
    ) -> None:
        self._model, self._train, self._dev = backbone.model, train, dev
        self._settings, self._rate = settings, learning_rate
        self.head = first_head(backbone)
        self._frequencies = target_frequencies(train, backbone.vocabulary_size)

    def run(self) -> None:
        """Train; the weights of the best epoch stay."""
        torch.manual_seed(self._settings.seed)
        tokens = self._settings.batch_tokens
        sampler = LengthBatchSampler(
            [len(pair) for pair in self._train], max_tokens=tokens, seed=self._settings.seed
        )
        dev_batches = length_batches([len(pair) for pair in self._dev], max_tokens=tokens)
        weight = self.head.weight
        optimizer = torch.optim.AdamW([weight], lr=self._rate, weight_decay=0.0, fused=True)
        steps = len(sampler) * self._settings.epochs
        warmup = math.ceil(steps * self._settings.warmup_share)
        schedule = get_cosine_schedule_with_warmup(optimizer, warmup, steps)
        best, lowest = weight.detach().clone(), math.inf
        for epoch in range(self._settings.epochs):
            sampler.set_epoch(epoch)
            for batch in sampler:
                self._loss([self._train[i] for i in batch]).backward()
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
            with torch.no_grad():
                losses = [self._loss([self._dev[i] for i in batch]) for batch in dev_batches]
            if (loss := float(torch.stack(losses).mean())) < lowest:
                best, lowest = weight.detach().clone(), loss
        self.head.initialise_from(best)

    def _loss(self, pairs: list[EncodedPair]) -> Tensor:
        with torch.no_grad():
            ids, mask = stack_rows([pair.input_ids for pair in pairs], device=self._model.device)
            output = self._model(ids, attention_mask=mask, output_hidden_states=True)
            logits = target_rows(output.logits, pairs).float()
            hidden = target_rows(output.hidden_states[-1], pairs).float()
            negatives = drawn_negatives(logits, dominant_mask(logits), self._frequencies)
        targets = torch.tensor([target for pair in pairs for target in pair.targets])
        return gathered_loss(self.head.weight, hidden, targets, negatives)


def first_head(backbone: CausalBackbone) -> SigmoidHead:
    """The head that both sides start from."""
    head = SigmoidHead(vocabulary_size=backbone.vocabulary_size, hidden_size=backbone.hidden_size)
    head.initialise_from(backbone.unembedding.weight)
    return head


def target_frequencies(pairs: Sequence[EncodedPair], vocabulary_size: int) -> Tensor:
    """How often each token is a target, ``(V,)``."""
    targets = torch.tensor([target for pair in pairs for target in pair.targets])
    return torch.bincount(targets, minlength=vocabulary_size).float()


def encoded(backbone: CausalBackbone, pairs: Sequence[Pair]) -> list[EncodedPair]:
    """Pairs as token ids."""
    return [example.code for example in encode_examples(backbone, pairs, PROMPT)]


def train_ours(
    backbone: CausalBackbone, train: list[Pair], dev: list[Pair], settings: SigmoidTraining
) -> tuple[QualityHead, TrainingReport, float]:
    """Our head, what was done, and the seconds that it took."""
    # Transformers prints its log, which is no result
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(sys.stderr):
        started = time.perf_counter()
        report = train_sigmoid_head(
            backbone, train, dev, folder, prompt=PROMPT, backbone_name=MODEL, settings=settings
        )
        taken = time.perf_counter() - started
        head = load_head(Path(folder), unembedding=lambda: backbone.unembedding)
    return head, report, taken


@torch.no_grad()
def dev_loss(
    head: QualityHead,
    backbone: CausalBackbone,
    dev: Sequence[Pair],
    frequencies: Tensor,
    objective: Objective,
) -> float:
    """Mean loss over exact dev features, in nats, by the same negatives for every head."""
    features = LiveFeatures(
        backbone,
        encode_examples(backbone, dev, PROMPT),
        candidates=objective.top_tokens(backbone.vocabulary_size),
    )
    loss = HeadLoss(head, objective, frequencies, backbone.unembedding, seed=0)
    batches = length_batches(features.lengths, max_tokens=4096)
    parts = [loss(features.batch(batch), DEV_EPOCH) for batch in batches]
    return float(sum(total for total, _ in parts) / sum(weight for _, weight in parts))


def main() -> None:
    """Time both sides, print the ratios, and check that they learn the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, help="TSV of pairs; by default bundled examples")
    parser.add_argument("--count", type=int, default=500, help="training pairs")
    parser.add_argument("--dev", type=int, default=300, help="pairs after them, for the dev loss")
    parser.add_argument("--epochs", type=int, default=5)
    arguments = parser.parse_args()
    loaded = load_pairs(arguments.pairs, arguments.count + arguments.dev)
    pairs = [Pair(source, hypothesis) for source, hypothesis in loaded]
    train, dev = pairs[: arguments.count], pairs[arguments.count :]
    backbone = QualityEstimator.from_pretrained(MODEL).backbone
    assert isinstance(backbone, CausalBackbone)
    settings = SigmoidTraining(
        epochs=arguments.epochs, features=FeatureChoice.CACHE, patience=arguments.epochs
    )
    print(f"{len(train)} pairs, {len(dev)} dev pairs, {arguments.epochs} epochs, {device_line()}")

    # Imports and buffers of the libraries belong to neither side
    train_ours(backbone, train[:8], dev[:8], replace(settings, epochs=1))
    ours = {
        name: train_ours(backbone, train, dev, replace(settings, objective=objective))
        for name, objective in OBJECTIVES.items()
    }
    rate = next(iter(ours.values()))[1].learning_rate
    started = time.perf_counter()
    codes = encoded(backbone, train)
    plain = PlainTrainer(backbone, codes, encoded(backbone, dev), settings, learning_rate=rate)
    plain.run()
    theirs = time.perf_counter() - started

    print(f"plain trainer: {theirs:.1f} s, {theirs / arguments.epochs:.2f} s an epoch")
    for name, (_, report, taken) in ours.items():
        epoch = report.targets / report.tokens_per_second
        print(
            f"ours, {name}: {taken:.1f} s, {epoch:.2f} s an epoch and "
            f"{taken - epoch * arguments.epochs:.1f} s for features and files (row updates: "
            f"{report.row_updates}), ratio {theirs / taken:.2f}x"
        )
    heads = {"untrained": first_head(backbone), "plain": plain.head}
    heads |= {f"ours, {name}": head for name, (head, _, _) in ours.items()}
    frequencies = target_frequencies(codes, backbone.vocabulary_size)
    for measure, objective in OBJECTIVES.items():
        losses = {
            name: dev_loss(head, backbone, dev, frequencies, objective)
            for name, head in heads.items()
        }
        words = "; ".join(f"{name} {loss:.4f}" for name, loss in losses.items())
        print(f"dev loss, negatives from {measure}: {words}")
    difference = abs(losses["plain"] - losses["ours, the whole softmax"])
    print(f"same objective: the dev losses differ by {difference:.4f}, {TOLERANCE} is allowed")
    assert difference < TOLERANCE, "the sides learn different things"


if __name__ == "__main__":
    main()
