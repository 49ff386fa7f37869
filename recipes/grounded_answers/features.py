"""Texts of all sets, and one pass of the frozen model over each: several layers deep, cached."""

import argparse
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from grounded_sets import answers_with, judged_captions, supported, with_copies
from numpy.typing import NDArray

from headwise.backbones import NAMED_PROMPTS, Backbone, load_backbone
from headwise.bundled import locate
from headwise.corruption.grounded import GroundedFamily
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.features import CachedFeatures, FeatureSpec, extract_features
from headwise.files import atomic_path

MODEL, PROMPT = "gemma-3-270m", "grounded"
LAYERS = (6, 9, 12, 15, -1)
SPEC = FeatureSpec(candidates=0, layers=LAYERS, statistics=True, closing_tokens=1)
TRAIN_ANSWERS, TEST_ANSWERS, RARE, JUDGED = 450, 60, 20, 45
# Of these, few answers allow any
_RARE = (GroundedFamily.NUMBER, GroundedFamily.DATE)
SETS = ("train", "test", "people")


@dataclass(frozen=True)
class GroundedSet:
    """Answers with their contexts, as cached features.

    Attributes:
        pairs: All of them.
        features: Of those that the model can read.
        families: What was done to each of these: a family, ``right``, or a label of people.
        groups: Which supported answer each was made of.
    """

    pairs: tuple[Pair, ...]
    features: CachedFeatures
    families: tuple[str, ...]
    groups: tuple[int, ...]

    def texts(self, *families: str) -> list[int]:
        """Numbers of the texts of some families."""
        return [i for i, family in enumerate(self.families) if family in families]

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """First position of each text."""
        counts = np.array(self.features.counts)
        return np.asarray(counts.cumsum() - counts, np.int64)


def gemma() -> Backbone:
    return load_backbone(locate(MODEL).backbone)


def made(data: Path, name: str) -> list[tuple[str, int, Pair]]:
    """Family, group and text of all texts of a set."""
    if name == "people":
        judged = judged_captions(data / "snli" / "dev.tsv.gz", JUDGED, seed=3)
        return [(pair.extra["label"], number, pair) for number, pair in enumerate(judged)]
    rare = [[family] for family in _RARE]
    if name == "train":
        pairs = supported(data, "train", TRAIN_ANSWERS, seed=1)
        return with_copies(pairs, [tuple(GroundedFamily), *rare], seed=0)
    pairs = supported(data, "test", TEST_ANSWERS, seed=2)
    texts = with_copies(pairs, [[family] for family in GroundedFamily], seed=1)
    for family in _RARE:
        more = answers_with(family, data, RARE, seed=4)
        texts += [(f, len(texts) + n, pair) for f, n, pair in with_copies(more, [[family]], seed=1)]
    return texts


def grounded_set(backbone: Backbone, data: Path, work: Path, name: str) -> GroundedSet:
    """A set, made or as an earlier call left it."""
    file = work / f"{name}.jsonl"
    if not file.is_file():
        work.mkdir(parents=True, exist_ok=True)
        with atomic_path(file) as temporary, temporary.open("w", encoding="utf-8") as lines:
            for family, group, pair in made(data, name):
                marks = [[error.start, error.end] for error in pair.errors or ()]
                row = {"context": pair.source, "answer": pair.hypothesis, "family": family}
                row |= {"group": group, "kind": pair.extra["kind"], "marks": marks}
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    pairs = [
        Pair(row["context"], row["answer"], errors=tuple(ErrorSpan(*mark) for mark in row["marks"]))
        for row in rows
    ]
    features = extract_features(
        backbone,
        pairs,
        NAMED_PROMPTS[PROMPT],
        work / "features" / name,
        spec=SPEC,
        batch_tokens=2048,
        shard_bytes=8_000_000,
        progress=True,
    )
    return GroundedSet(
        pairs=tuple(pairs),
        features=features,
        families=tuple(rows[number]["family"] for number in features.pairs),
        groups=tuple(rows[number]["group"] for number in features.pairs),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    backbone = gemma()
    for name in SETS:
        found = grounded_set(backbone, arguments.data, arguments.work, name)
        counts = {f: found.families.count(f) for f in dict.fromkeys(found.families)}
        print(f"{name}: {len(found.families)} texts, {sum(found.features.counts)} positions")
        print(", ".join(f"{family} {count}" for family, count in counts.items()))


if __name__ == "__main__":
    main()
