"""Features of the frozen model for all comparisons: one pass over each set, several layers deep."""

import argparse
from pathlib import Path

import texts

from headwise.backbones import NAMED_PROMPTS, Backbone, PromptTemplate, load_backbone
from headwise.bundled import locate
from headwise.data.records.pairs import Pair
from headwise.features import CachedFeatures, FeatureSpec, extract_features

LAYERS = (6, 9, 12, 15, -1)
SPEC = FeatureSpec(candidates=128, layers=LAYERS, statistics=True)
# 66,582 positions, four fifths of them in sentences of Wikipedia
TRAIN_PAIRS = 3982


def prompt() -> PromptTemplate:
    """Texts of two languages as the web has them, with the languages of each row."""
    columns = {name: name for name in ("source_language", "target_language")}
    return NAMED_PROMPTS["bilingual"].bind_columns(**columns)


def gemma() -> Backbone:
    return load_backbone(locate("gemma-3-270m").backbone)


def text_sets(data: Path) -> dict[str, list[Pair]]:
    """Training and dev text of English and German, and sets that people judged."""
    train, dev = texts.mixture(data, languages=("en-de",), each=2600, short=1900)
    return {
        "dev": dev[:200],
        "train": train[:TRAIN_PAIRS],
        "et-en": texts.judged(data, "et-en", "dev", 500),
        "hjqe": texts.tagged_by_translators(data, "dev", 369),
        "en-zh": texts.judged(data, "en-zh", "dev", 300),
    }


def features(backbone: Backbone, data: Path, work: Path) -> dict[str, CachedFeatures]:
    """The features of all sets, made where they are missing."""
    return {
        name: extract_features(
            backbone,
            pairs,
            prompt(),
            work / "features" / name,
            spec=SPEC,
            batch_tokens=2048,
            shard_bytes=40_000_000,
            progress=True,
        )
        for name, pairs in text_sets(data).items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    for name, found in features(gemma(), arguments.data, arguments.work).items():
        print(f"{name}: {len(found.counts)} texts, {sum(found.counts)} positions")


if __name__ == "__main__":
    main()
