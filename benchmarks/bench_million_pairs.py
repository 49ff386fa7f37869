"""An epoch of training an NLI head over a million cached pairs, against a pass of the encoder.

The cached vectors are random and in memory; the step does not know. The other side encodes a sample
of made pairs and is scaled to as many, each distinct text once for the pair features.
"""

import argparse
import os
import random
import tempfile
from pathlib import Path

# Only local folders are read
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

from bench_nli_epochs import sentences
from comparison import device_line, seconds
from headwise.backbones import load_encoder
from headwise.bundled.registry import MINILM, locate_entailment
from headwise.choices import NLIFeatures
from headwise.features.inference_features import EncodedInferences, InferenceFeatures
from headwise.training.nli.settings import NLITraining
from headwise.training.nli.train import first_nli_head, fit_nli_head

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--pairs", type=int, default=1_000_000)
parser.add_argument("--sample", type=int, default=2_000, help="pairs that the encoder reads")
parser.add_argument("--batch-size", type=int, default=1024)
arguments = parser.parse_args()


class RandomVectors:
    """Vectors as a cache would give them."""

    size = 384

    def __init__(self, count: int) -> None:
        self._vectors = torch.randn(count, self.size)

    def __len__(self) -> int:
        return len(self._vectors)

    def batch(self, indices: torch.Tensor) -> torch.Tensor:
        return self._vectors.index_select(0, indices)


def cached(count: int, features: NLIFeatures) -> InferenceFeatures:
    """As many pairs, three hypotheses a premise."""
    numbers = torch.arange(count)
    codes = EncodedInferences(
        kept=numbers,
        rejected=(),
        labels=numbers % 3,
        texts=(),
        premises=numbers // 3,
        hypotheses=count // 3 + 1 + numbers,
        pairs=(),
    )
    texts = RandomVectors(count // 3 + 1 + count) if features.needs_pair else None
    return InferenceFeatures(codes, texts, RandomVectors(count) if features.needs_joint else None)


def epoch(features: NLIFeatures) -> float:
    """Seconds of one epoch of Transformers' Trainer over the head."""
    settings = NLITraining(features=features, epochs=1, batch_size=arguments.batch_size)
    train, dev = cached(arguments.pairs, features), cached(3_000, features)
    head = first_nli_head(train.pooled_size, train.token_size, settings)
    with tempfile.TemporaryDirectory() as folder:
        return seconds(
            lambda: fit_nli_head(
                head, train, dev, settings, checkpoints=Path(folder), device=torch.device("cpu")
            )
        )


backbone = load_encoder(locate_entailment(MINILM).encoder, device="cpu")
sample = sentences(arguments.sample)
random.Random(0).shuffle(sample)
texts = backbone.encode(list(dict.fromkeys(text for pair in sample for text in pair.texts)))
together = backbone.encode_pairs([pair.texts for pair in sample])
scale = arguments.pairs / arguments.sample
passes = {
    NLIFeatures.PAIR: seconds(lambda: backbone.embed(texts, normalise=False)) * scale,  # type: ignore[arg-type]
    NLIFeatures.JOINT: seconds(lambda: backbone.joint(together)) * scale,  # type: ignore[arg-type]
}
print(f"{arguments.pairs:,} pairs, batches of {arguments.batch_size}, {device_line()}")
for features, encoding in passes.items():
    ours = epoch(features)
    print(
        f"{features}: an epoch over cached vectors {ours:.1f} s, a pass of the encoder "
        f"{encoding:.0f} s (scaled from {arguments.sample:,} pairs), ratio {encoding / ours:.0f}x"
    )
