"""Where a run's features come from, and what it says about that."""

import logging
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.filesize import decimal
from tiny_models import PAIRS, byte_level, tiny_llama

from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.data.records.pairs import Pair
from headwise.features import CachedFeatures, FeatureSource, LiveFeatures
from headwise.training.loop.processes import Processes
from headwise.training.sigmoid.features import choose_features
from headwise.training.sigmoid.settings import SigmoidTraining

DATA = {"train": [Pair(s, h) for s, h in PAIRS], "dev": [Pair(*PAIRS[0]), Pair("A dog.", "")]}


def choose(folder: Path, **settings: Any) -> tuple[dict[str, FeatureSource], str]:
    tokenizer = byte_level()
    return choose_features(
        CausalBackbone(tiny_llama(tokenizer), tokenizer),
        DATA,
        NAMED_PROMPTS["tiny"],
        SigmoidTraining(**settings),
        folder=folder,
        candidates=5,
        processes=Processes(0, 1),
        progress=False,
    )


def assert_kind(sources: dict[str, FeatureSource], kind: type) -> None:
    assert sources.keys() == DATA.keys()
    assert all(type(source) is kind for source in sources.values())
    assert [len(source.counts) for source in sources.values()] == [6, 1]
    assert sources["dev"].batch([0]).top_ids.shape[1] == 5


def with_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))


def test_one_epoch_needs_no_cache(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        sources, words = choose(tmp_path / "features", epochs=1)
    assert_kind(sources, LiveFeatures)
    assert words == "live, the model runs in every epoch"
    assert "One epoch: features are computed as they are needed." in caplog.messages
    assert not (tmp_path / "features").exists()


def test_a_second_epoch_reads_a_cache(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_free(monkeypatch, 2**40)
    folder = tmp_path / "not" / "there"
    with caplog.at_level(logging.INFO):
        sources, words = choose(folder, epochs=2)
    assert_kind(sources, CachedFeatures)
    assert sources["dev"].batch([0]).hidden.dtype == torch.bfloat16
    size = sum(path.stat().st_size for path in folder.glob("*/shard-*"))
    assert words == f"cached once, {decimal(size)} in bfloat16"
    (message,) = [text for text in caplog.messages if str(folder) in text]
    assert "kB; the folder may be deleted after training" in message


@pytest.mark.parametrize("free", [0, 2**30])
def test_without_room_the_model_runs_in_every_epoch(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    free: int,
) -> None:
    with_free(monkeypatch, free)
    folder = tmp_path / "features"
    with caplog.at_level(logging.INFO):
        sources, words = choose(folder, epochs=2)
    assert_kind(sources, LiveFeatures)
    assert words.startswith("live")
    (message,) = [text for text in caplog.messages if str(folder) in text]
    assert f"only {decimal(free)} are free" in message
    assert "the model runs in every epoch instead" in message
    assert not folder.exists()


def test_what_is_asked_for_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_free(monkeypatch, 0)
    cached, words = choose(tmp_path, epochs=1, features="cache", feature_dtype="float32")
    assert_kind(cached, CachedFeatures)
    assert words.endswith("in float32")
    with_free(monkeypatch, 2**40)
    live, _ = choose(tmp_path, epochs=9, features="live")
    assert_kind(live, LiveFeatures)
    for part, source in live.items():
        torch.testing.assert_close(source.batch([0]).hidden, cached[part].batch([0]).hidden)
        assert torch.equal(source.batch([0]).keys, cached[part].batch([0]).keys)
