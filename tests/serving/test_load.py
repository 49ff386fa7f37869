"""The load of ``benchmarks/load_server.py``, for a shorter time."""

import asyncio

import psutil
import pytest

from comparison import load_pairs
from load_server import MEMORY_GROWTH, ODD, run_load, serving


@pytest.mark.slow
def test_nothing_is_lost_or_mixed_up_under_load() -> None:
    pairs = list(dict.fromkeys(load_pairs(None, 200)))
    with serving() as (port, process):
        load, early, late = asyncio.run(
            run_load(port, psutil.Process(process.pid), pairs, seconds=20, clients=64)
        )
        assert process.wait(150) == 0
    assert not load.wrong
    assert len({kind for kind, _ in load.statuses}) == len(ODD) + 1
    assert load.statuses["scoring", 200] > 100
    assert late < MEMORY_GROWTH * early
