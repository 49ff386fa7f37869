"""Sampled translations of sources of any length in common batches, against batches of one length.

Both sides draw nearly greedily, so that they can be seen to agree.
"""

import argparse
from pathlib import Path

from comparison import compare_seconds, device_line
from headwise import QualityEstimator
from headwise.backbones.generation.sampling import sample_hypotheses
from headwise.data.readers import read_pairs
from headwise.data.records.pairs import Pair


def main() -> None:
    """Check that both sides agree, then time them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="tiny-en-de")
    parser.add_argument("--pairs", type=Path, required=True, help="TSV of sources and translations")
    parser.add_argument("--count", type=int, default=128)
    parser.add_argument("--tokens", type=int, default=40, help="of a sample, at most")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    estimator = QualityEstimator.from_pretrained(options.model)
    backbone, prompt = estimator.backbone, estimator.prompt
    rows = [row for row in read_pairs(options.pairs) if isinstance(row, Pair)][: options.count]
    assert not backbone.left_padding_matters, "this model has no common batches"

    def drawn(*, apart: bool) -> list[list[str]]:
        vars(backbone)["left_padding_matters"] = apart
        return sample_hypotheses(
            backbone,
            [row.source for row in rows],
            prompt,
            samples=1,
            rows=[row.extra for row in rows],
            temperature=0.01,
            max_new_tokens=options.tokens,
        )

    alike = sum(a == b for a, b in zip(drawn(apart=False), drawn(apart=True), strict=True))
    print(f"{alike} of {len(rows)} texts are the same, {device_line()}")
    assert alike > 0.9 * len(rows), "the sides disagree"
    compare_seconds(
        "sampling",
        lambda: drawn(apart=False),
        lambda: drawn(apart=True),
        labels=("common batches", "one length a batch"),
        repeats=options.repeats,
    )


if __name__ == "__main__":
    main()
