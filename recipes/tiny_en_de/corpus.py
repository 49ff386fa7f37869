"""Parallel text for the tiny English-German model: read, clean, keep evaluation text out."""

import csv
import gzip
import logging
from collections.abc import Iterable
from pathlib import Path

logger = logging.getLogger(__name__)

Pair = tuple[str, str]


def read_pairs(paths: Iterable[Path]) -> list[Pair]:
    """Read source and target from headerless two-column TSV files, gzip-compressed or plain.

    A line that does not hold two texts is left out, and named in the log.
    """
    pairs: list[Pair] = []
    for path in paths:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8", newline="") as lines:
            for number, row in enumerate(
                csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), start=1
            ):
                if len(row) != 2 or not row[0].strip() or not row[1].strip():
                    logger.warning("%s, line %d left out: not two texts: %r", path, number, row)
                    continue
                pairs.append((row[0].strip(), row[1].strip()))
    return pairs


def without_sources_of(train: list[Pair], held_out: list[Pair]) -> list[Pair]:
    """Drop training pairs whose source or target also stands in the held-out text."""
    sources = {source.casefold() for source, _ in held_out}
    targets = {target.casefold() for _, target in held_out}
    kept = [
        (source, target)
        for source, target in train
        if source.casefold() not in sources and target.casefold() not in targets
    ]
    logger.info(
        "dropped %d of %d training pairs that stand in dev", len(train) - len(kept), len(train)
    )
    return kept
