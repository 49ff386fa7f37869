"""Score judged sets by any heads, after one pass of the language model that is kept.

What the model says of a text is read once and written down: hidden states of some layers, the most
probable tokens, log-probability, entropy and rank of each token. Heads are then tried in seconds.
"""

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor

from headwise import QualityEstimator
from headwise.backbones import NAMED_PROMPTS, Backbone, EncodedPair, PromptTemplate
from headwise.data.readers import read_pairs
from headwise.data.records.pairs import Pair
from headwise.data.records.signals import Signal
from headwise.data.writers import json_line, scored_row
from headwise.features import CachedFeatures, FeatureBatch, FeatureSpec, extract_features
from headwise.files import atomic_path
from headwise.functional import LargestDrop, VocabularyStatistics
from headwise.functional.dominant_tokens import boost, select_dominant
from headwise.quality.scorer import Scorer

LAYERS = (6, 9, 12, 15, -1)
# At most 200 tokens can have the half percent that a dominant one needs, and hardly ever have more
# than 128
SPEC = FeatureSpec(candidates=128, layers=LAYERS, statistics=True)
# The first is the main one
SIGNALS = (Signal.QUALITY, *(one for one in Signal if one not in (Signal.QUALITY, Signal.OMISSION)))
_TOGETHER = 32


def prompt() -> PromptTemplate:
    """Texts of two languages as the web has them, with the languages of each row."""
    columns = {name: name for name in ("source_language", "target_language")}
    return NAMED_PROMPTS["bilingual"].bind_columns(**columns)


def read_features(
    backbone: Backbone, pairs: Sequence[Pair], work: Path, *, spec: FeatureSpec = SPEC
) -> CachedFeatures:
    """What the model says of texts, made where it is missing; sets of the same texts share it."""
    bare = [
        Pair(p.source, p.hypothesis, extra={n: p.extra[n] for n in prompt().columns}) for p in pairs
    ]
    digest = hashlib.sha256(repr([(p.source, p.hypothesis, p.extra) for p in bare]).encode())
    return extract_features(
        backbone,
        bare,
        prompt(),
        work / "features" / digest.hexdigest()[:12],
        spec=spec,
        batch_tokens=2048,
        shard_bytes=40_000_000,
        progress=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberingScorer(Scorer):
    """A scorer to whom the model's output layer has spoken before: ``batch`` holds what it said."""

    batch: FeatureBatch

    def signals_alone(
        self, hidden: Tensor, targets: Tensor, *, share: int = 1
    ) -> tuple[dict[Signal, Tensor], VocabularyStatistics | None]:
        """Signals of the batch's targets, ``(N,)``."""
        del share
        batch = self.batch
        assert batch.statistics is not None
        log_prob, entropy, log_rank = batch.statistics.T
        dominant = select_dominant(
            batch.top_ids, batch.top_log_probs.exp(), selector=LargestDrop(), entropy=entropy
        )
        rank = log_rank.exp().round().long()
        columns = {
            Signal.SOFTMAX: log_prob.exp(),
            Signal.LOGPROB: log_prob,
            Signal.ENTROPY: entropy,
            Signal.RANK: rank,
            # Of probabilities that were kept with few digits, the sum may be above 1
            Signal.BOOSTED: boost(log_prob.exp(), targets, dominant=dominant).clamp(max=1.0),
        }
        if (head := self.needed.sigmoid) is not None:
            read = self.backbone.of_layers(hidden, self.layers, head.layers)
            columns[Signal.SIGMOID] = head.score(read, targets)
        return columns, VocabularyStatistics(log_prob, entropy, rank)


def score_set(estimator: QualityEstimator, pairs: Sequence[Pair], work: Path, output: Path) -> None:
    """Write all signals of all tokens of a set as `headwise score --level token` does."""
    backbone = estimator.backbone
    features = read_features(backbone, pairs, work)
    kept = [pairs[number] for number in features.pairs]
    possible = [s for s in SIGNALS if estimator.heads.can_give(s, estimator.calibration)]
    scorer = estimator.scorer(possible)
    parts = {one.name: getattr(scorer, one.name) for one in fields(Scorer) if one.init}
    given = backbone.layer_numbers(LAYERS)
    with atomic_path(output) as new, new.open("wb") as lines, torch.inference_mode():
        for first in range(0, len(kept), _TOGETHER):
            some = range(first, min(first + _TOGETHER, len(kept)))
            batch = features.batch(some)
            remembering = RememberingScorer(**parts, batch=batch)
            codes = remembering.encode([kept[i] for i in some])
            encoded = [code for code in codes if isinstance(code, EncodedPair)]
            hidden = backbone.of_layers(batch.hidden.float(), given, remembering.layers)
            for scored in remembering.score_hidden([kept[i] for i in some], encoded, hidden):
                lines.write(json_line(scored_row(scored, "token")))


def main() -> None:
    """Score the sets that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, required=True, help="folder that prepare.py wrote")
    parser.add_argument("--work", type=Path, required=True, help="folder of what is kept")
    parser.add_argument("--model", default="gemma-3-270m")
    parser.add_argument("--head", help="folder; the bundled heads by default")
    parser.add_argument("--output", type=Path, help="folder of the scores, if any are to be made")
    parser.add_argument("names", nargs="+", help="sets, in this order")
    arguments = parser.parse_args()
    estimator = QualityEstimator.from_pretrained(arguments.model, arguments.head)
    for name in arguments.names:
        rows = read_pairs(arguments.sets / f"{name}.jsonl")
        pairs = [row for row in rows if isinstance(row, Pair)]
        if arguments.output is None:
            features = read_features(estimator.backbone, pairs, arguments.work)
            print(
                f"{name}: {len(features.counts)} texts, {sum(features.counts)} tokens", flush=True
            )
            continue
        arguments.output.mkdir(parents=True, exist_ok=True)
        score_set(estimator, pairs, arguments.work, arguments.output / f"{name}.jsonl")
        print(f"{name}: {arguments.output / name}.jsonl", flush=True)


if __name__ == "__main__":
    main()
