"""What a calibration is worth on data that had no part in it, as Markdown."""

import argparse
from itertools import chain
from pathlib import Path

import numpy as np

from headwise import QualityEstimator
from headwise.corruption import synthetic_errors, with_error_copies
from headwise.data.readers import read_pairs
from headwise.data.records.pairs import Pair
from headwise.quality.calibration.provenance import Fit
from headwise.quality.calibration.threshold_curve import (
    LabelledTokens,
    ThresholdCurve,
    missed_weights,
)
from headwise.quality.labelled_texts import label_signals


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", help="files of right pairs")
    parser.add_argument("--model", default="tiny-en-de")
    parser.add_argument("--head", default=None)
    parser.add_argument("--seed", type=int, default=1, help="of the errors")
    arguments = parser.parse_args()

    estimator = QualityEstimator.from_pretrained(arguments.model, arguments.head)
    calibration = estimator.calibration
    if calibration is None:
        parser.error("The head has no calibration; run `headwise calibrate` first.")
    for path in arguments.data:
        right = [row for row in read_pairs(path) if isinstance(row, Pair)]
        copies = synthetic_errors(estimator.backbone, right, estimator.prompt, seed=arguments.seed)
        texts = with_error_copies(right, chain.from_iterable(copies.values()))
        signals = sorted(calibration.made_of(ranking=False))
        judged = label_signals(estimator, texts.pairs, signals, groups=texts.groups)
        judged = judged.of(calibration.blend).with_quality(calibration.token)
        counts = judged.counts()
        print(
            f"\n{Path(path).name}: {counts.texts:,} texts of {counts.sources:,} sources, "
            f"{counts.texts_with_errors:,} with errors; {counts.tokens:,} tokens, "
            f"{counts.wrong_tokens:,} wrong\n"
        )
        print("| level | ECE before | after | Brier before | after | ROC AUC |")
        print("| --- | --- | --- | --- | --- | --- |")
        print(fit_row("token", judged.check_tokens(calibration.token)))
        if calibration.sentence is not None:
            print(fit_row("text", judged.check_sentences(calibration.sentence)))
        decisions = judged.decisions(calibration.token)
        curve = ThresholdCurve.of(decisions)
        print("\n| threshold | value | flagged | precision | recall | missed a text (95 %) |")
        print("| --- | --- | --- | --- | --- | --- |")
        for name, threshold in calibration.thresholds.items():
            if threshold.value is None:
                continue
            one = curve.measure(threshold)
            shares = [shown(x) for x in (one.flagged, one.precision, one.recall, one.risk)]
            spread = 1.96 * standard_error(decisions, threshold.value)
            print(f"| {name} | {threshold.value:.5f} | {' | '.join(shares)} ± {100 * spread:.1f} |")


def fit_row(level: str, fit: Fit) -> str:
    numbers = (fit.ece_before, fit.ece_after, fit.brier_before, fit.brier_after, fit.roc_auc)
    cells = ("undefined" if x is None else f"{x:.4f}" for x in numbers)
    return f"| {level} | {' | '.join(cells)} |"


def shown(share: float | None) -> str:
    return "undefined" if share is None else f"{100 * share:.1f} %"


def standard_error(judged: LabelledTokens, threshold: float) -> float:
    """Of the mean over sources of the share of missed errors."""
    weights, units = missed_weights(judged)
    missed = judged.wrong & (judged.probabilities >= threshold)
    _, unit = np.unique(judged.units[judged.wrong], return_inverse=True)
    losses = units * np.bincount(unit, (weights * missed)[judged.wrong], minlength=units)
    return float(losses.std(ddof=1) / np.sqrt(units))


if __name__ == "__main__":
    main()
