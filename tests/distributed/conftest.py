"""One cluster on this machine for all tests, which start it and stop it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_pair_tables import PAIRS, write_pairs

from headwise import QualityEstimator

pytest.importorskip("ray")


@pytest.fixture(scope="session")
def two_workers() -> Iterator[None]:
    """A cluster with room for two workers of one thread."""
    from headwise.distributed import cluster

    with cluster("local"):
        yield


@pytest.fixture(scope="session")
def scores() -> dict[str, float]:
    """What one process says of each hypothesis."""
    estimator = QualityEstimator.from_pretrained("tiny-en-de")
    return {s.hypothesis: s.score for s in estimator.score_many(PAIRS)}


@pytest.fixture
def pairs_folder(tmp_path: Path) -> Path:
    """A folder with 240 pairs in Parquet, in groups of 100 rows."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    write_pairs(folder / "a.parquet", 240)
    return folder
