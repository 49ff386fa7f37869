"""How often a promise of triage is broken on segments that it was not made from, and what it saves.

Of scored segments with marks of people, some are drawn at random many times: a promise is made from
these and kept, or broken, on all others. Draws are made by segment, as a user would draw them from
one job. Of each signal: promises that could be made, those that were broken, and the share of the
other segments that goes out unread, with the difference from another signal in the same draws.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headwise.evaluation.triage import Segments, make_promise, read_segments
from headwise.evaluation.triage.promise import Action


def some(segments: Segments, chosen: NDArray[np.int64]) -> Segments:
    """Those segments of all."""
    signals = {name: column[chosen] for name, column in segments.signals.items()}
    return Segments(tuple(segments.rows[i] for i in chosen), signals)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scored", type=Path, help="rows of headwise score, with annotations")
    parser.add_argument("--missed", type=float, nargs="+", default=[0.05])
    parser.add_argument("--severity", default=None, help="from which on errors count")
    parser.add_argument("--labelled", type=int, default=500)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--against", default="logprob")
    arguments = parser.parse_args()
    every = Segments.of(read_segments([arguments.scored]))
    faulty = every.faulty(arguments.severity)
    print(f"{len(every.rows)} segments, {faulty.mean():.1%} with an error that counts")
    print("| missed | signal | promised | broken | out unread | more than the other |")
    print("| --- | --- | --- | --- | --- | --- |")
    for missed in arguments.missed:
        drawn = np.random.default_rng(0)
        saved: dict[str, list[float]] = {name: [] for name in every.signals}
        made, broken = dict.fromkeys(saved, 0), dict.fromkeys(saved, 0)
        for _ in range(arguments.draws):
            order = drawn.permutation(len(every.rows))
            labelled, rest = order[: arguments.labelled], order[arguments.labelled :]
            for name, values in every.signals.items():
                promise = make_promise(
                    some(every, labelled),
                    missed=missed,
                    severity=arguments.severity,
                    signal=name,
                )
                decisions = promise.decide(values[rest])
                out = np.array([one is Action.PUBLISH for one in decisions])
                made[name] += promise.publish_above is not None
                saved[name].append(float(out.mean()))
                broken[name] += bool(out.any() and faulty[rest][out].mean() > missed)
        other = np.array(saved[arguments.against])
        for name, shares in saved.items():
            low, middle, high = np.quantile(np.array(shares) - other, [0.025, 0.5, 0.975])
            print(
                f"| {missed:g} | `{name}` | {made[name]} | {broken[name]} | {np.mean(shares):.1%} "
                f"| {middle:+.1%} [{low:+.1%}, {high:+.1%}] |"
            )


if __name__ == "__main__":
    main()
