"""The bundled error head on the errors that `headwise evaluate` puts into text that it never saw.

ROC AUC of tokens and texts, the paired difference to the best signal without an error head, and
false alarms: the share of right tokens that are flagged where 80 % of the plausible errors are
found, which is where one of their tokens is flagged, or where 80 % of their tokens are.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
from error_sets import CRUDE, INDEPENDENT, PLAUSIBLE, RIGHT, TEST, ErrorSet, test_set
from measures import (
    Floats,
    Interval,
    bootstrapped,
    error_logits,
    false_alarms,
    head_free_signals,
    text_auroc,
    text_parts,
    text_values,
    token_auroc,
    wrong_positions,
)
from numpy.typing import NDArray

from headwise import QualityEstimator
from headwise.heads import load_error_head

_FOUND = 0.8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--head", type=Path, help="folder of an error head; default: bundled")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    estimator = QualityEstimator.from_pretrained("tiny-en-de")
    head = estimator.error_head if arguments.head is None else load_error_head(arguments.head)
    assert head is not None
    assert estimator.head is not None
    tokens, texts, alarms = [], [], []
    for name in TEST:
        found = test_set(estimator, arguments.data, name, arguments.work)
        plain = head_free_signals(found, estimator.backbone, estimator.head)
        signals = plain | {"error": error_logits(found, estimator.backbone, head)}
        wrong = wrong_positions(found)
        for family in (INDEPENDENT, CRUDE, PLAUSIBLE):
            values, drawn = token_auroc(found, family, signals, wrong)
            best = max(plain, key=lambda signal: values[signal].value)
            names = list(signals)
            gain = drawn[names.index("error")] - drawn[names.index(best)]
            low, high = np.quantile(gain, [0.025, 0.975])
            difference = Interval(values["error"].value - values[best].value, low, high)
            cells = [str(values[signal]) for signal in names]
            tokens.append(f"| {name}, {family} | {' | '.join(cells)} | {difference:+} |")
            texts.append(_texts(found, family, signals, name))
        for of in ("references", "references and copies"):
            for by in ("errors", "their tokens"):
                alarms.append(_alarms(found, signals, wrong, name, of=of, by=by))
    columns = "softmax | boosted | sigmoid | error"
    print(f"\n| tokens, ROC AUC | {columns} | error less the best of the others |")
    print(f"|{' --- |' * 6}\n" + "\n".join(tokens))
    print("\n| texts, ROC AUC | softmax, best | boosted, best | sigmoid, best ", end="")
    print(f"| error mean | error min | error noisy-or |\n|{' --- |' * 7}\n" + "\n".join(texts))
    print(f"\n| false alarms, plausible errors | {columns} ", end="")
    print(f"| error / softmax |\n|{' --- |' * 6}\n" + "\n".join(alarms))


def _texts(found: ErrorSet, family: str, signals: dict[str, Floats], name: str) -> str:
    values = {}
    for signal in ("softmax", "boosted", "sigmoid"):
        cut = text_parts(found)
        values[f"{signal} mean"] = np.array([signals[signal][part].mean() for part in cut])
        values[f"{signal} min"] = np.array([signals[signal][part].min() for part in cut])
    values |= {f"error {how}": v for how, v in text_values(found, signals["error"]).items()}
    measured, _ = text_auroc(found, family, values)
    cells = []
    for signal in ("softmax", "boosted", "sigmoid"):
        how = max(("mean", "min"), key=lambda h: measured[f"{signal} {h}"].value)
        cells.append(f"{measured[f'{signal} {how}']} ({how})")
    cells += [str(measured[f"error {how}"]) for how in ("mean", "min", "noisy-or")]
    return f"| {name}, {family} | {' | '.join(cells)} |"


def _alarms(
    found: ErrorSet,
    signals: dict[str, Floats],
    wrong: NDArray[np.bool_],
    name: str,
    *,
    of: str,
    by: str,
) -> str:
    """Shares with intervals; sources are resampled, and thresholds chosen anew."""
    cut = text_parts(found)
    copies, references = found.texts(PLAUSIBLE), found.texts(RIGHT)
    groups = np.array([found.groups[i] for i in [*references, *copies]])
    names = list(signals)
    worst = {
        n: [np.sort(values[cut[i]][wrong[cut[i]]])[: 1 if by == "errors" else None] for i in copies]
        for n, values in signals.items()
    }
    taken = references if of == "references" else [*references, *copies]
    right = {n: [values[cut[i]][~wrong[cut[i]]] for i in taken] for n, values in signals.items()}

    def shares(chosen: NDArray[np.int64]) -> list[float]:
        errors = chosen[chosen >= len(references)] - len(references)
        texts = chosen[chosen < len(taken)]
        alarms = []
        for n in names:
            values = np.concatenate([right[n][i] for i in texts])
            caught = np.concatenate([worst[n][i] for i in errors])
            alarms.append(false_alarms(caught, values, found=_FOUND))
        return [*alarms, alarms[names.index("error")] / alarms[names.index("softmax")]]

    intervals = bootstrapped(shares, groups)
    cells = [f"{name}, {_FOUND:.0%} of {by}, right tokens of {of}", *map(str, intervals)]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
