"""What tests of extraction share: a random tiny model, small shards, and a look into a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny_models import byte_level, tiny_llama

from headwise.backbones import CausalBackbone
from headwise.features import CachedFeatures

# About seven shards of the tests' pairs in float32
SHARD_BYTES = 20_000
Extract = Callable[..., CachedFeatures]


def random_backbone(**changes: Any) -> CausalBackbone:
    """The same weights every time."""
    tokenizer = byte_level()
    return CausalBackbone(tiny_llama(tokenizer, **changes), tokenizer)


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder, hidden ones too."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
