"""The tables of leave_one_out.py, as Markdown."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

_BASELINES = ("softmax", "boosted", "sigmoid")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    rows = json.loads(parser.parse_args().results.read_text("utf-8"))
    for corpus in dict.fromkeys(row["corpus"] for row in rows):
        own = [row for row in rows if row["corpus"] == corpus]
        print(f"\n{corpus}, tokens\n")
        print(f"| family left out | {' | '.join(_BASELINES)} | error, family left out ", end="")
        print(f"| less the best of the three | error, family seen |\n|{' --- |' * 7}")
        for row in own:
            print(_tokens(row))
        print(f"| mean | {' | '.join(_means(own))} |")
        print(f"\n{corpus}, texts\n")
        names = [f"{how} left out" for how in ("mean", "min", "noisy-or")]
        print("| family | best without an error head | error ", end="")
        print(f"{' | '.join(names)} |\n|{' --- |' * 5}")
        for row in own:
            print(_texts(row))


def _seeds(row: dict[str, Any], name: str) -> list[list[float]]:
    return [values for signal, values in row["tokens"].items() if signal.startswith(name)]


def _over_seeds(row: dict[str, Any], name: str) -> str:
    """Mean of the seeds, and the widest interval of any of them."""
    values = np.array(_seeds(row, name))
    return f"{values[:, 0].mean():.3f} [{values[:, 1].min():.3f}, {values[:, 2].max():.3f}]"


def _interval(values: list[float]) -> str:
    return f"{values[0]:.3f} [{values[1]:.3f}, {values[2]:.3f}]"


def _tokens(row: dict[str, Any]) -> str:
    cells = [
        f"`{row['family']}`",
        *(_interval(row["tokens"][name]) for name in _BASELINES),
        _over_seeds(row, "left out"),
        _gain(*row["gain"]),
        _over_seeds(row, "seen"),
    ]
    return f"| {' | '.join(cells)} |"


def _gain(value: float, low: float, high: float) -> str:
    # A resample without any of a handful of errors has no AUROC
    if np.isnan(low):
        return f"{value:+.3f} (too few texts)"
    return f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"


def _means(rows: list[dict[str, Any]]) -> list[str]:
    plain = [np.mean([row["tokens"][name][0] for row in rows]) for name in _BASELINES]
    left, seen = (
        np.mean([np.mean([v[0] for v in _seeds(row, name)]) for row in rows])
        for name in ("left out", "seen")
    )
    gain = np.mean([row["gain"][0] for row in rows])
    return [*(f"{mean:.3f}" for mean in plain), f"{left:.3f}", f"{gain:+.3f}", f"{seen:.3f}"]


def _texts(row: dict[str, Any]) -> str:
    texts = row["texts"]
    plain = {n: v for n, v in texts.items() if n.split()[0] in _BASELINES}
    best = max(plain, key=lambda name: plain[name][0])
    left = [_interval(texts[f"left out {how}"]) for how in ("mean", "min", "noisy-or")]
    return f"| {row['family']} | {_interval(plain[best])} ({best}) | {' | '.join(left)} |"


if __name__ == "__main__":
    main()
