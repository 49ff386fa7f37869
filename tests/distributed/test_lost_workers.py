"""Workers that are killed in the middle of a job are replaced, and no row is lost or doubled."""

import os
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from made_pair_tables import PAIRS

from headwise.data.records.pairs import Pair
from headwise.distributed import Workers, score_dataset
from headwise.errors import InputError
from headwise.quality import ScoreTables


@dataclass(kw_only=True)
class DyingTables(ScoreTables):
    """Kills its process as often as there are files in a folder, each time in another batch."""

    folder: str

    def results(self, rows: Sequence[Pair]) -> Iterable[dict[str, Any] | InputError]:
        found = list(super().results(rows))
        name = f"{rows[0].extra['number'] // 100}"
        if name in ("1", "3", "6") and (Path(self.folder) / name).exists():
            (Path(self.folder) / name).unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return found


@pytest.mark.slow
@pytest.mark.usefixtures("two_workers")
def test_a_worker_killed_three_times(tmp_path: Path, scores: dict[str, float]) -> None:
    import ray.cloudpickle
    import ray.data

    # Workers do not see this file
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    for name in ("1", "3", "6"):
        (tmp_path / name).touch()
    rows = [
        {"number": n, "source": PAIRS[n % len(PAIRS)][0], "hypothesis": PAIRS[n % len(PAIRS)][1]}
        for n in range(800)
    ]
    work = DyingTables(folder=str(tmp_path))

    made = score_dataset(
        ray.data.from_items(rows), work, workers=Workers(least=2, most=2, rows=32), in_order=True
    ).take_all()

    assert not list(tmp_path.iterdir())
    assert [row["number"] for row in made] == list(range(800))
    for row in made:
        assert row["score"] == pytest.approx(scores[row["hypothesis"]], abs=1e-6)
