"""Scoring with an error head against `sigmoid` alone, same pairs."""

import statistics

from comparison import device_line, load_pairs, pairs_argument, seconds
from headwise import QualityEstimator

REPEATS = 9
SIDES = (("error",), ("sigmoid", "error"), ("quality",), ("quality", "error", "omission"))


def main() -> None:
    """Check that both sides score every pair, then time them in turn."""
    arguments = pairs_argument(__doc__)
    estimator = QualityEstimator.from_pretrained("tiny-en-de")
    assert estimator.error_head is not None
    pairs = load_pairs(arguments.pairs, arguments.count)
    head = estimator.error_head
    numbers = sum(parameter.numel() for parameter in head.parameters())
    print(f"{len(pairs)} pairs, {device_line()}; {head.variant} head of {numbers:,} numbers")

    def scored(*signals: str) -> float:
        rows = []
        taken = seconds(lambda: rows.extend(estimator.score_many(pairs, signals=signals)))
        assert len(rows) == len(pairs)
        return taken

    scored("sigmoid", "quality", "error")  # warm-up
    for signals in SIDES:
        timed = [(scored(*signals), scored("sigmoid")) for _ in range(REPEATS)]
        mine, other = (statistics.median(side) for side in zip(*timed, strict=True))
        ratio = statistics.median(mine / other for mine, other in timed)
        print(
            f"{', '.join(signals)}: {mine:.2f} s, sigmoid alone: {other:.2f} s, "
            f"{ratio:.3f}x the time"
        )


if __name__ == "__main__":
    main()
