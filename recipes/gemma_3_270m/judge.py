"""Compare what the bundled error head says with the tags and assessments of people."""

import argparse
from pathlib import Path

import numpy as np
import texts

from headwise import QualityEstimator
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.metrics import roc_auc, spearman


def is_bad(token: ScoredToken, pair: Pair) -> bool:
    """Whether a word that people marked reaches into a token."""
    assert pair.tags is not None
    words = zip(pair.tags.ranges, pair.tags.bad, strict=True)
    return any(bad and start < token.end and token.start < end for (start, end), bad in words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--head", help="by default the bundled one")
    arguments = parser.parse_args()
    quality = QualityEstimator.from_pretrained("gemma-3-270m", head=arguments.head)
    sets = {
        "hjqe": texts.tagged_by_translators(arguments.data, "dev", 369),
        "et-en": texts.judged(arguments.data, "et-en", "dev", 500),
        "en-zh": texts.judged(arguments.data, "en-zh", "dev", 300),
    }
    for name, pairs in sets.items():
        values, wrong, means = [], [], []
        for pair, scored in zip(pairs, quality.score_many(pairs, signals=["error"]), strict=True):
            assert isinstance(scored, ScoredHypothesis)
            tokens = [token for token in scored.tokens if not token.special]
            own = [1.0 - (token.error or 0.0) for token in tokens]
            values += own
            wrong += [is_bad(token, pair) for token in tokens]
            means.append(np.mean(own))
        gold = np.array([float(pair.extra["z_mean"]) for pair in pairs])
        words = roc_auc(np.array(values), ~np.array(wrong)).value
        print(name, f"words {words:.3f}", f"spearman {spearman(np.array(means), gold).value:.3f}")


if __name__ == "__main__":
    main()
