"""What a second stage on human labels adds: MLQE-PE word tags, and MQM spans of TED talks.

For each seed some labelled texts are drawn. The error head that learned from synthetic errors goes
on from them; the same network learns from them alone; and thresholds on the other signals are
chosen on them. All are tested on the rest.
"""

import argparse
import json
import logging
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from error_sets import ErrorSet
from measures import Floats, Interval, error_logits, head_free_signals
from numpy.typing import NDArray

from headwise import QualityEstimator
from headwise.data.error_spans import is_marked, marked_ranges
from headwise.data.pairs import Pair
from headwise.data.readers import read_pairs
from headwise.data.words import word_ranges
from headwise.features import FeatureSpec, SelectedFeatures, extract_features
from headwise.heads import ErrorHead, load_error_head
from headwise.metrics import matthews
from headwise.metrics.bootstrap import bootstrap, percentile_interval
from headwise.metrics.weighted_ranks import weighted_roc_auc
from headwise.metrics.weighted_sums import weighted_matthews
from headwise.training.error_head import ErrorTraining, fit_error_head

logger = logging.getLogger(__name__)

Bools = NDArray[np.bool_]
_STEPS = 200
_DEV_SHARE = 5


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
        spec=FeatureSpec(candidates=1, statistics=True),
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
        drawn = random.Random(seed).sample(sorted(set(found.groups)), len(set(found.groups)))
        chosen: set[str] = set()
        labelled: list[int] = []
        for source in drawn:
            if len(labelled) >= arguments.labels:
                break
            chosen.add(source)
            labelled += [i for i, group in enumerate(found.groups) if group == source]
        signals = dict(plain)
        for name, first in (("second stage", start), ("from scratch", None)):
            head = _fitted(
                first, start, found, labelled, backbone, arguments.work / "run", seed=seed
            )
            signals[f"error, {name}"] = error_logits(found, backbone, head)
        in_labels = np.isin(words.text, labelled)
        measured, gain = _measured(
            {n: words.worst(v) for n, v in signals.items()}, words, in_labels, found.groups
        )
        gains.append(gain)
        for name, values in measured.items():
            results.setdefault(name, []).append(values)
        print(json.dumps({"seed": seed, "gain": gain} | measured), flush=True)
    _show(results, gains, share=float(words.wrong.mean()))


def _fitted(
    first: ErrorHead | None,
    like: ErrorHead,
    found: ErrorSet,
    labelled: Sequence[int],
    backbone: object,
    folder: Path,
    *,
    seed: int,
) -> ErrorHead:
    """A head that learned from some texts, from a first stage or from nothing."""
    torch.manual_seed(seed)
    head = ErrorHead(
        hidden_size=like.hidden_size, variant=like.variant, inner_size=like.inner_size,
        rank=like.rank, statistics=like.statistics,
    )  # fmt: skip
    if first is not None:
        head.load_state_dict(first.state_dict())
    shutil.rmtree(folder, ignore_errors=True)
    held = labelled[::_DEV_SHARE]
    seen = [i for i in labelled if i not in set(held)]
    fit_error_head(
        head,
        SelectedFeatures(found.features, seen),
        SelectedFeatures(found.features, held),
        ErrorTraining(seed=seed).for_labels(),
        unembedding=backbone.unembedding.weight,  # type: ignore[attr-defined]
        checkpoints=folder,
        device=backbone.device,  # type: ignore[attr-defined]
        fresh=first is None,
        gaps=False,
    )
    return head


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
    signals: Mapping[str, Floats], words: Words, in_labels: Bools, groups: Sequence[str]
) -> tuple[dict[str, dict[str, float]], list[float]]:
    """MCC at the threshold that is best on the labelled texts, and AUROC, on the rest."""
    wrong = words.wrong[~in_labels]
    flags = {}
    measured = {}
    for name, values in signals.items():
        threshold = _best_threshold(values[in_labels], words.wrong[in_labels])
        flags[name] = values[~in_labels] < threshold
        mcc = matthews(flags[name], wrong).value
        auc = weighted_roc_auc(values[~in_labels], ~wrong)(np.ones((1, len(wrong))))[0]
        measured[name] = {"mcc": float(mcc or 0.0), "auroc": float(auc)}
    pair = [
        weighted_matthews(flags[f"error, {n}"], wrong) for n in ("second stage", "from scratch")
    ]
    units = np.array(groups)[words.text[~in_labels]]
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
