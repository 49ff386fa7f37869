"""Right texts and copies with errors of every family, as cached features."""

import json
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headwise import QualityEstimator
from headwise.backbones import Backbone, PromptTemplate
from headwise.corruption import (
    CorruptionMix,
    ErrorFamily,
    corrupt,
    crude_errors,
    plausible_errors,
)
from headwise.data.readers import read_pairs
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.evaluation.quality.independent_errors import independent_errors
from headwise.features import CachedFeatures, FeatureSpec, extract_features
from headwise.files import atomic_path

logger = logging.getLogger(__name__)

RIGHT = "right"
CRUDE, PLAUSIBLE = "evaluate: crude", "evaluate: plausible"
INDEPENDENT = "evaluate: independent"
"""The errors that `headwise evaluate` puts in, beside the families of the training."""

TRAIN = {
    "tatoeba": "tatoeba-en-de/train.tsv.gz",
    "multi30k": "multi30k-en-de/train.tsv.gz",
}
TEST = {
    "tatoeba": "tatoeba-en-de/dev-multireference.tsv.gz",
    "multi30k": "multi30k-en-de/test-2016-flickr.tsv.gz",
}


@dataclass(frozen=True)
class ErrorSet:
    """Right texts and copies of them with errors.

    Attributes:
        features: Of all texts.
        families: What was done to each text: a family of errors, or ``right``.
        groups: The source of each text.
    """

    features: CachedFeatures
    families: tuple[str, ...]
    groups: tuple[str, ...]

    def texts(self, *families: str) -> list[int]:
        """Numbers of the texts of some families."""
        return [i for i, family in enumerate(self.families) if family in families]

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """First position of each text."""
        counts = np.array(self.features.counts)
        return np.asarray(counts.cumsum() - counts, np.int64)


def right_pairs(path: Path) -> list[Pair]:
    """The pairs of a file, each once."""
    found = [pair for pair in read_pairs(path) if isinstance(pair, Pair)]
    return list({(pair.source, pair.hypothesis): pair for pair in found}.values())


def training_pairs(data: Path, corpus: str, *, count: int, seed: int = 0) -> list[Pair]:
    """A sample of the training pairs whose source and hypothesis stand in no test or dev file."""
    held = [right_pairs(data / path) for path in TEST.values()]
    held.append(right_pairs(data / "multi30k-en-de/dev.tsv.gz"))
    sources = {pair.source for pairs in held for pair in pairs}
    hypotheses = {pair.hypothesis for pairs in held for pair in pairs}
    free = [
        pair
        for pair in right_pairs(data / TRAIN[corpus])
        if pair.source not in sources and pair.hypothesis not in hypotheses
    ]
    return random.Random(seed).sample(free, min(count, len(free)))


def test_set(estimator: QualityEstimator, data: Path, name: str, work: Path) -> ErrorSet:
    """Text that no head and no language model saw, with errors of all kinds.

    Args:
        estimator: Gives the language model and its prompt.
        data: Folder of the corpora.
        name: Of the corpus.
        work: Folder of the caches.
    """
    return error_set(
        estimator.backbone,
        estimator.prompt,
        right_pairs(data / TEST[name]),
        [pair.hypothesis for pair in right_pairs(data / TRAIN[name])],
        work / f"test-{name}",
        seed=0,
        evaluation=True,
    )


def error_set(
    backbone: Backbone,
    prompt: PromptTemplate,
    pairs: Sequence[Pair],
    corpus: Sequence[str],
    folder: Path,
    *,
    seed: int,
    evaluation: bool = False,
) -> ErrorSet:
    """Corrupt pairs by every family and extract features, or open what an earlier call made.

    Args:
        backbone: The frozen language model.
        prompt: How a pair is laid out.
        pairs: Right pairs.
        corpus: Texts whose words and spans are put in.
        folder: Of the cache.
        seed: Of the errors.
        evaluation: Whether to add the errors of `headwise evaluate`.
    """
    texts = folder / "texts.jsonl"
    if not texts.is_file():
        made = [(RIGHT, replace(pair, errors=())) for pair in pairs]
        for family in ErrorFamily:
            mix = CorruptionMix(proportions={family: 1.0}, language="de")
            copies = corrupt(
                pairs, mix=mix, seed=seed, corpus=corpus, backbone=backbone, prompt=prompt
            )
            made += [(str(family), copy.pair) for copy in copies]
            logger.info("%s: %d copies", family, len(copies))
        if evaluation:
            for name, errors in (
                (CRUDE, crude_errors(pairs, corpus=corpus, seed=seed)),
                (PLAUSIBLE, plausible_errors(backbone, pairs, prompt, seed=seed)),
                (INDEPENDENT, independent_errors(pairs, corpus=corpus, seed=seed)),
            ):
                made += [(name, error.pair) for error in errors]
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(texts) as temporary, temporary.open("w", encoding="utf-8") as lines:
            for family, pair in made:
                marks = [[error.start, error.end] for error in pair.errors or ()]
                row = [family, pair.source, pair.hypothesis, marks]
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
    rows = [json.loads(line) for line in texts.read_text("utf-8").splitlines()]
    marked = [_pair(source, hypothesis, marks) for _, source, hypothesis, marks in rows]
    features = extract_features(
        backbone,
        marked,
        prompt,
        folder / "features",
        spec=FeatureSpec(candidates=1, statistics=True, closing_tokens=1),
        progress=True,
    )
    return ErrorSet(
        features=features,
        families=tuple(rows[number][0] for number in features.pairs),
        groups=tuple(rows[number][1] for number in features.pairs),
    )


def _pair(source: str, hypothesis: str, marks: list[list[int]]) -> Pair:
    return Pair(source, hypothesis, errors=tuple(ErrorSpan(start, end) for start, end in marks))
