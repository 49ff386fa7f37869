"""Where the bundled error head fails: errors that it misses, right words that it flags."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from error_sets import TEST, right_pairs

from headwise import QualityEstimator
from headwise.corruption import plausible_errors
from headwise.data.records.error_spans import is_marked, marked_ranges
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis, ScoredSpan

_TEXTS = 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=8, help="examples of each kind")
    arguments = parser.parse_args()
    estimator = QualityEstimator.from_pretrained("tiny-en-de")
    for name, path in TEST.items():
        pairs = right_pairs(arguments.data / path)[:_TEXTS]
        errors = plausible_errors(estimator.backbone, pairs, estimator.prompt, seed=0)
        wrong = [error.pair for error in errors]
        print(f"\n{name}: plausible errors with the least `error`")
        _show(sorted(_words(estimator, wrong, marked=True), key=_error)[: arguments.count])
        print(f"\n{name}: right words of references with the largest `error`")
        _show(sorted(_words(estimator, pairs, marked=False), key=_error)[-arguments.count :])


def _words(
    estimator: QualityEstimator, pairs: Sequence[Pair], *, marked: bool
) -> list[tuple[ScoredSpan, ScoredHypothesis]]:
    found = []
    for pair, scored in zip(pairs, estimator.score_many(pairs, signals=("error",)), strict=True):
        assert isinstance(scored, ScoredHypothesis)
        ranges = marked_ranges(pair.errors or (), pair.hypothesis)
        for word in scored.words:
            if is_marked((word.start, word.end), ranges) == marked:
                found.append((word, scored))
    return found


def _error(one: tuple[ScoredSpan, ScoredHypothesis]) -> float:
    assert one[0].error is not None
    return one[0].error


def _show(found: Sequence[tuple[ScoredSpan, ScoredHypothesis]]) -> None:
    for word, scored in found:
        text = scored.hypothesis
        marked = f"{text[: word.start]}[{word.text}]{text[word.end :]}"
        print(f"  {word.error:.3f}  {scored.source} -> {marked}")


if __name__ == "__main__":
    main()
