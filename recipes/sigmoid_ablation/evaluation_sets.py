"""Held-out text with known errors, and human judgements, as cached features."""

import csv
import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from scipy.stats import spearmanr
from torch import Tensor

from headwise.backbones import Backbone, PromptTemplate
from headwise.corruption import crude_errors, plausible_errors
from headwise.data.readers import read_pairs
from headwise.data.records.pairs import Pair
from headwise.features import CachedFeatures, FeatureSpec, extract_features
from headwise.functional import LargestDrop, vocabulary_statistics
from headwise.metrics import roc_auc

Scorer = Callable[[Tensor, Tensor], Tensor]
"""Hidden states ``(N, H)`` and targets ``(N,)`` to scores ``(N,)``, the higher the better."""

_BATCH = 512


@dataclass(frozen=True)
class EvaluationSet:
    """One set of texts.

    Attributes:
        features: Their features, with error marks where ``gold`` is ``None``.
        gold: Human judgement of each text, the higher the better.
        corrupted: Which texts hold an error, where ``gold`` is ``None``.
    """

    features: CachedFeatures
    gold: Tensor | None
    corrupted: Tensor | None

    def measure(self, score: Scorer) -> dict[str, float]:
        """How well scores tell wrong tokens and texts from right ones."""
        tokens, marks = [], []
        count = len(self.features.counts)
        for first in range(0, count, _BATCH):
            batch = self.features.batch(range(first, min(first + _BATCH, count)))
            tokens.append(score(batch.hidden, batch.targets).float())
            if batch.errors is not None:
                marks.append(batch.errors)
        values = torch.cat(tokens)
        means = torch.stack([part.mean() for part in values.split(self.features.counts)])
        if self.gold is not None:
            return {"spearman": float(spearmanr(means, self.gold).statistic)}
        wrong = torch.cat(marks)
        assert self.corrupted is not None
        found = {
            "token": roc_auc(values.numpy(), ~wrong.numpy()).value,
            "sentence": roc_auc(means.numpy(), ~self.corrupted.numpy()).value,
        }
        return {name: value for name, value in found.items() if value is not None}


def evaluation_sets(
    backbone: Backbone, prompt: PromptTemplate, data: Path, work: Path, corpus: list[str]
) -> dict[str, EvaluationSet]:
    """Build the sets, or open those that an earlier call built."""

    def extracted(name: str, pairs: list[Pair]) -> CachedFeatures:
        # Every text must get a score: none is left out
        features = extract_features(
            backbone, pairs, prompt, work / name.replace(" ", "-"), spec=FeatureSpec(candidates=1)
        )
        assert len(features.counts) == len(pairs)
        return features

    sets = {}
    for name, path in (
        ("multi30k", data / "multi30k-en-de/dev.tsv.gz"),
        ("tatoeba", data / "tatoeba-en-de/dev-multireference.tsv.gz"),
    ):
        clean = [pair for pair in read_pairs(path) if isinstance(pair, Pair)]
        for kind, errors in (
            ("crude", crude_errors(clean, corpus=corpus, seed=0)),
            ("plausible", plausible_errors(backbone, clean, prompt, seed=0)),
        ):
            texts = [Pair(pair.source, pair.hypothesis, errors=()) for pair in clean]
            texts += [error.pair for error in errors]
            corrupted = torch.tensor([bool(pair.errors) for pair in texts])
            whole = f"{name} {kind}"
            sets[whole] = EvaluationSet(extracted(whole, texts), None, corrupted)
    judged, gold = _judgements(data / "mlqe-pe-en-de/dev.da.tsv.gz")
    sets["mlqe-pe"] = EvaluationSet(extracted("mlqe-pe", judged), gold, None)
    return sets


def baselines(backbone: Backbone) -> dict[str, Scorer]:
    """Scores that the language model gives without a head."""

    def statistic(name: str) -> Scorer:
        def score(hidden: Tensor, targets: Tensor) -> Tensor:
            found = vocabulary_statistics(
                hidden, backbone.unembedding, targets, entropy=True, selector=LargestDrop()
            )
            value: Tensor = getattr(found, name)
            return value if name != "entropy" else -value

        return score

    return {
        "softmax": lambda hidden, targets: statistic("log_prob")(hidden, targets).exp(),
        "log-probability": statistic("log_prob"),
        "boosted": statistic("boosted"),
        "minus entropy": statistic("entropy"),
    }


def _judgements(path: Path) -> tuple[list[Pair], Tensor]:
    with gzip.open(path, "rb") as raw, io.TextIOWrapper(raw, "utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    pairs = [Pair(row["original"], row["translation"]) for row in rows]
    return pairs, torch.tensor([float(row["z_mean"]) for row in rows])
