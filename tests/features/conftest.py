"""A random tiny model and all combinations of a few sentences, which make many small shards."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from extracting import SHARD_BYTES, Extract, random_backbone
from tiny_models import PAIRS

from headwise.backbones import NAMED_PROMPTS, Backbone, CausalBackbone, PromptTemplate
from headwise.data.records.pairs import Pair
from headwise.features import CachedFeatures, FeatureSpec, extract_features


@pytest.fixture(scope="session")
def backbone() -> CausalBackbone:
    return random_backbone()


@pytest.fixture
def pairs() -> list[Pair]:
    return [Pair(source, hypothesis) for source, _ in PAIRS for _, hypothesis in PAIRS]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """More do not help so small a model, and a forked process has none to wait for.

    It also computes bit by bit what this process does.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def extract(backbone: CausalBackbone, pairs: list[Pair], tmp_path: Path) -> Extract:
    """Extraction of the pairs to a folder of the test, with what a test wants changed."""

    def run(
        folder: str = "features",
        *,
        backbone: Backbone = backbone,
        pairs: list[Pair] = pairs,
        prompt: PromptTemplate = NAMED_PROMPTS["tiny"],
        dtype: str = "float32",
        candidates: int = 7,
        max_length: int | None = None,
        cut: bool = False,
        statistics: bool = False,
        closing_tokens: int | None = None,
        gaps_marked: bool = True,
        shard_bytes: int = SHARD_BYTES,
        **options: Any,
    ) -> CachedFeatures:
        spec = FeatureSpec(
            dtype=dtype,
            candidates=candidates,
            max_length=max_length,
            cut=cut,
            statistics=statistics,
            closing_tokens=closing_tokens,
            gaps_marked=gaps_marked,
        )
        return extract_features(
            backbone,
            pairs,
            prompt,
            tmp_path / folder,
            spec=spec,
            shard_bytes=shard_bytes,
            **options,
        )

    return run
