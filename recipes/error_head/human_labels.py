"""What a second stage on human labels adds: MLQE-PE word tags, and MQM spans of TED talks.

For each seed some labelled texts are drawn. The error head that learned from synthetic errors goes
on from them; the same network learns from them alone; and thresholds on the other signals are
chosen on the fifth of them that no head was fitted to. All are tested on the rest.
"""

import argparse
import json
import logging
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from error_sets import ErrorSet
from measures import Floats, Interval, error_logits, head_free_signals
from numpy.typing import NDArray

from headwise import QualityEstimator
from headwise.backbones import Backbone
from headwise.data.readers import read_pairs
from headwise.data.records.error_spans import is_marked, marked_ranges
from headwise.data.records.pairs import Pair
from headwise.data.records.words import word_ranges
from headwise.features import FeatureSpec, SelectedFeatures, extract_features
from headwise.heads import ErrorHead, load_error_head
from headwise.metrics import matthews, roc_auc
from headwise.metrics.bootstrap import bootstrap, percentile_interval
from headwise.training.errors import ErrorTraining, fit_error_head

logger = logging.getLogger(__name__)

Bools = NDArray[np.bool_]
_STEPS = 200
_DEV = 5


@dataclass(frozen=True)
class Words:
    """The words of all texts, with what people said of them.

    Attributes:
        first: Number of the first token of each word among all positions.
        tokens: How many tokens each word has, at least 1.
        wrong: Whether it is wrong.
        text: Number of its text.
    """

    first: NDArray[np.int64]
    tokens: NDArray[np.int64]
    wrong: Bools
    text: NDArray[np.int64]

    def worst(self, values: Floats) -> Floats:
        """The least value among the tokens of each word."""
        return np.array(
            [values[a : a + n].min() for a, n in zip(self.first, self.tokens, strict=True)]
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", required=True, help="file of pairs with marks or word tags")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--labels", type=int, default=500, help="labelled texts to learn from")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--head", type=Path, help="folder of the first stage; default: bundled")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    estimator = QualityEstimator.from_pretrained("tiny-en-de")
    backbone, sigmoid = estimator.backbone, estimator.head
    start = estimator.error_head if arguments.head is None else load_error_head(arguments.head)
    assert sigmoid is not None
    assert start is not None

    pairs = [p for p in read_pairs(arguments.input) if isinstance(p, Pair) and p.errors is not None]
    features = extract_features(
        backbone,
        pairs,
        estimator.prompt,
        arguments.work / "features",
        spec=FeatureSpec(candidates=1, statistics=True, closing_tokens=1),
        progress=True,
    )
    kept = [pairs[number] for number in features.pairs]
    found = ErrorSet(
        features=features,
        families=("",) * len(kept),
        groups=tuple(pair.source or pair.hypothesis for pair in kept),
    )
    words = _words(found, kept, estimator)
    plain = head_free_signals(found, backbone, sigmoid)
    plain["error, first stage alone"] = error_logits(found, backbone, start)

    results: dict[str, list[dict[str, float]]] = {}
    gains = []
    for seed in range(arguments.seeds):
        seen, held = _labelled(found, arguments.labels, seed)
        signals = dict(plain)
        for name, first in (("second stage", start), ("from scratch", None)):
            head = _fitted(first, start, found, seen, held, backbone, arguments.work / "run", seed)
            signals[f"error, {name}"] = error_logits(found, backbone, head)
        measured, gain = _measured(
            {n: words.worst(v) for n, v in signals.items()},
            words,
            np.isin(words.text, held),
            ~np.isin(words.text, seen + held),
            found.groups,
        )
        gains.append(gain)
        for name, values in measured.items():
            results.setdefault(name, []).append(values)
        print(json.dumps({"seed": seed, "gain": gain} | measured), flush=True)
    _show(results, gains, share=float(words.wrong.mean()))


def _labelled(found: ErrorSet, count: int, seed: int) -> tuple[list[int], list[int]]:
    """About so many texts to learn from, and among them a fifth of the sources to decide on."""
    by_source: dict[str, list[int]] = {}
    for text, source in enumerate(found.groups):
        by_source.setdefault(source, []).append(text)
    seen: list[int] = []
    held: list[int] = []
    for number, source in enumerate(random.Random(seed).sample(sorted(by_source), len(by_source))):
        if len(seen) + len(held) >= count:
            break
        (held if number % _DEV == 0 else seen).extend(by_source[source])
    return seen, held


def _fitted(
    first: ErrorHead | None,
    like: ErrorHead,
    found: ErrorSet,
    seen: Sequence[int],
    held: Sequence[int],
    backbone: Backbone,
    folder: Path,
    seed: int,
) -> ErrorHead:
    """A head that learned from some texts, from a first stage or from nothing.

    From nothing, it is the better of two on the held-out texts: one learned as fast as in a second
    stage, the other as fast as in a first one.
    """
    settings = ErrorTraining(seed=seed)
    rates = [settings.labels.learning_rate]
    if first is None:
        rates.append(settings.learning_rate)
    heads = []
    for rate in rates:
        torch.manual_seed(seed)
        head = ErrorHead(
            hidden_size=like.hidden_size,
            variant=like.variant,
            inner_size=like.inner_size,
            rank=like.rank,
            statistics=like.statistics,
        )
        if first is not None:
            head.load_state_dict(first.state_dict())
        shutil.rmtree(folder, ignore_errors=True)
        fitted = fit_error_head(
            head,
            SelectedFeatures(found.features, seen),
            SelectedFeatures(found.features, held),
            replace(settings.for_labels(), learning_rate=rate),
            unembedding=backbone.unembedding.weight,
            checkpoints=folder,
            device=backbone.device,
            fresh=first is None,
        )
        heads.append((fitted.evaluations[fitted.best].metrics["auroc"], rate, head))
    return max(heads, key=lambda one: one[:2])[2]


def _words(found: ErrorSet, pairs: Sequence[Pair], estimator: QualityEstimator) -> Words:
    codes = estimator.backbone.encode([(p.given, p.hypothesis) for p in pairs], estimator.prompt)
    first, tokens, wrong, texts = [], [], [], []
    for text, (pair, code) in enumerate(zip(pairs, codes, strict=True)):
        ranges = code.ranges  # type: ignore[union-attr]
        assert len(ranges) < found.features.counts[text] + 1
        marks = marked_ranges(pair.errors or (), pair.hypothesis)
        if pair.tags is not None:
            words = list(zip(pair.tags.ranges, pair.tags.bad, strict=True))
        else:
            words = [(w, is_marked(w, marks)) for w in word_ranges(pair.hypothesis)]
        for (start, end), bad in words:
            inside = [i for i, (a, b) in enumerate(ranges) if a < end and b > start]
            if inside:
                first.append(found.starts[text] + inside[0])
                tokens.append(len(inside))
                wrong.append(bad)
                texts.append(text)
    return Words(np.array(first), np.array(tokens), np.array(wrong), np.array(texts))


def _measured(
    signals: Mapping[str, Floats],
    words: Words,
    held: Bools,
    rest: Bools,
    groups: Sequence[str],
) -> tuple[dict[str, dict[str, float]], list[float]]:
    """MCC at the threshold that is best on the held-out texts, and AUROC, on the rest."""
    wrong = words.wrong[rest]
    flags = {}
    measured = {}
    for name, values in signals.items():
        threshold = _best_threshold(values[held], words.wrong[held])
        flags[name] = values[rest] < threshold
        mcc = matthews(flags[name], wrong).value
        auc = roc_auc.weighted(values[rest], ~wrong)(np.ones((1, len(wrong))))[0]
        measured[name] = {"mcc": float(mcc or 0.0), "auroc": float(auc)}
    pair = [
        matthews.weighted(flags[f"error, {n}"], wrong) for n in ("second stage", "from scratch")
    ]
    units = np.array(groups)[words.text[rest]]
    drawn = bootstrap(pair, count=len(wrong), groups=units)
    interval = percentile_interval(drawn[0] - drawn[1])
    assert interval is not None
    gain = measured["error, second stage"]["mcc"] - measured["error, from scratch"]["mcc"]
    return measured, [gain, *interval]


def _best_threshold(values: Floats, wrong: Bools) -> float:
    candidates = np.quantile(values, np.linspace(0.005, 0.995, _STEPS))
    scores = [matthews(values < t, wrong).value or 0.0 for t in candidates]
    return float(candidates[int(np.argmax(scores))])


def _show(
    results: Mapping[str, Sequence[Mapping[str, float]]],
    gains: Sequence[Sequence[float]],
    *,
    share: float,
) -> None:
    print(f"\nBAD: {share:.1%} of the words. Means over seeds (least to largest).\n")
    print("| signal | MCC | AUROC |\n| --- | --- | --- |")
    for name, rows in results.items():
        cells = []
        for measure in ("mcc", "auroc"):
            values = [row[measure] for row in rows]
            cells.append(str(Interval(float(np.mean(values)), min(values), max(values))))
        print(f"| {name} | {' | '.join(cells)} |")
    print("| majority: no word is wrong | 0 | 0.5 |")
    shown = ", ".join(f"{g:+.3f} [{low:+.3f}, {high:+.3f}]" for g, low, high in gains)
    print(f"\nMCC of the second stage less that from scratch, seed by seed: {shown}")


if __name__ == "__main__":
    main()
