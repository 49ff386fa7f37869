"""Five epochs of training an NLI head: features cached once, against the encoder in every epoch.

Both sides are `train_nli_head` on the same pairs, with the same settings, and must end with the
same head. The cached side's time includes the extraction. The encoder is MiniLM from its package.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path

# Only local folders are read
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

from comparison import device_line
from headwise.backbones import EncoderBackbone, load_encoder
from headwise.bundled.registry import MINILM, locate_entailment
from headwise.choices import NLIFeatures
from headwise.data.readers.inferences import read_inferences
from headwise.data.records.inferences import InferencePair
from headwise.heads import NLI_LABELS, load_task_heads
from headwise.training.loop.settings import FeatureChoice
from headwise.training.nli.settings import NLITraining
from headwise.training.nli.train import train_nli_head

WORDS = (  # noqa: SIM905
    "a the two man woman child dog people street park red blue white large young old is are in "
    "on near with and while playing standing running sitting holding wearing looking shirt ball "
    "water field crowd guitar bicycle outside inside next to front of some"
).split()
BAR = 4.0


def sentences(count: int, *, seed: int = 0) -> list[InferencePair]:
    """Pairs as long as SNLI's, three hypotheses a premise."""
    draw = random.Random(seed)
    pairs = []
    for number in range(count):
        if number % 3 == 0:
            premise = " ".join(draw.choices(WORDS, k=draw.randint(8, 20)))
        hypothesis = " ".join(draw.choices(WORDS, k=draw.randint(4, 12)))
        pairs.append(InferencePair(premise, hypothesis, NLI_LABELS[number % 3]))
    return pairs


def timed(
    backbone: EncoderBackbone,
    pairs: list[InferencePair],
    dev: list[InferencePair],
    settings: NLITraining,
) -> tuple[float, torch.Tensor]:
    """Seconds of a run, and the head's first matrix."""
    # Transformers prints its log, which is no result
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(sys.stderr):
        started = time.perf_counter()
        train_nli_head(backbone, pairs, dev, folder, backbone_name=MINILM, settings=settings)
        taken = time.perf_counter() - started
        return taken, load_task_heads(Path(folder)).nli.nli_hidden[0].weight


def main() -> None:
    """Time both sides for each kind of features and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="labelled pairs; by default made sentences")
    parser.add_argument("--count", type=int, default=3000, help="training pairs")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--features", nargs="+", default=["pair", "joint"])
    arguments = parser.parse_args()
    if arguments.data is None:
        pairs = sentences(arguments.count)
    else:
        rows = read_inferences(arguments.data)
        pairs = [row for row in rows if isinstance(row, InferencePair)][: arguments.count]
    dev = sentences(90, seed=1)
    backbone = load_encoder(locate_entailment(MINILM).encoder)
    print(f"{len(pairs)} pairs, {arguments.epochs} epochs, {device_line()}")
    for name in arguments.features:
        found = {}
        for source in (FeatureChoice.CACHE, FeatureChoice.LIVE):
            settings = NLITraining(
                features=NLIFeatures(name),
                epochs=arguments.epochs,
                patience=arguments.epochs,
                feature_source=source,
            )
            if not found:  # imports and buffers of the libraries belong to neither side
                timed(backbone, pairs[:30], dev, settings)
            found[source] = timed(backbone, pairs, dev, settings)
        (cached, first), (live, second) = found[FeatureChoice.CACHE], found[FeatureChoice.LIVE]
        difference = float((first - second).abs().max())
        assert difference < 1e-4, f"the sides end with other heads: {difference:.1e}"
        print(
            f"{name}: cached {cached:.1f} s with extraction, live {live:.1f} s, ratio "
            f"{live / cached:.2f}x (bar {BAR:g}x); heads differ by at most {difference:.1e}"
        )


if __name__ == "__main__":
    main()
