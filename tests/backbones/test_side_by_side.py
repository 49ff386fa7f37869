"""Batches side by side: the same results in the same order, and nothing of it left behind."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from tiny_encoders import tiny_encoder
from tiny_models import byte_level, tiny_llama
from torch import nn

from headwise.backbones import CausalBackbone, EncodedText, EncoderBackbone
from headwise.backbones.reading_apart import probe_pairs
from headwise.backbones.side_by_side import batches_at_once, largest_product, side_by_side

LENGTHS = [5, 3, 9, 4, 7, 2, 8, 6]


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def llama() -> CausalBackbone:
    return CausalBackbone(tiny_llama(tokenizer := byte_level()), tokenizer)


def of_batches() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("headwise-batch")]


def in_new_thread(call: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def test_equal_batches_give_equal_bits_in_order(llama: CausalBackbone) -> None:
    pairs = probe_pairs(llama.model, *LENGTHS)
    names = set()

    @torch.inference_mode()
    def read(batch: list[int]) -> torch.Tensor:
        names.add(threading.current_thread().name.split("_")[0])
        return llama.target_hidden([pairs[i] for i in batch])

    two = list(side_by_side(llama, LENGTHS, read, max_tokens=1))
    torch.set_num_threads(1)  # threads that share a product may round it differently
    one = list(side_by_side(llama, LENGTHS, read, max_tokens=1))
    assert [batch for batch, _ in one] == [batch for batch, _ in two]
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(one, two, strict=True))
    assert names == {"MainThread", "headwise-batch"}
    assert list(side_by_side(llama, [], read, max_tokens=1)) == []


def test_workers_have_few_threads_and_others_their_own(llama: CausalBackbone) -> None:
    def count(_: object) -> int:
        return torch.get_num_threads()

    def with_five() -> tuple[set[int], int]:
        torch.get_num_threads()  # sets the thread up, which would undo the next line
        torch.set_num_threads(5)
        in_new_thread(lambda: torch.set_num_threads(2))  # what threads start with
        found = {n for _, n in side_by_side(llama, LENGTHS, count, max_tokens=9)}
        return found, torch.get_num_threads()

    assert in_new_thread(with_five) == ({1}, 5)
    assert torch.get_num_threads() == in_new_thread(torch.get_num_threads) == 2
    torch.set_num_threads(64)
    assert batches_at_once(llama) == 8
    assert {n for _, n in side_by_side(llama, LENGTHS, count, max_tokens=1)} == {8}


def test_an_error_ends_the_rest(llama: CausalBackbone) -> None:
    begun = []

    def fail(batch: list[int]) -> None:
        begun.append(batch)
        if len(begun) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(side_by_side(llama, [1] * 100, fail, max_tokens=1, at_once=2))
    assert len(begun) < 10
    assert not of_batches()
    assert torch.get_num_threads() == in_new_thread(torch.get_num_threads) == 2


class LateBarrier(threading.Barrier):
    """Lets all go when the main thread comes, last; one goes on long after."""

    def wait(self, timeout: float | None = None) -> int:
        if threading.current_thread() is threading.main_thread():
            time.sleep(0.1)
        return super().wait(timeout)

    def _wait(self, timeout: float | None) -> None:
        self._cond.wait_for(lambda: self._state != 0)
        if threading.current_thread().name.endswith("_1"):
            self._cond.release()
            time.sleep(0.3)
            self._cond.acquire()
        super()._wait(timeout)


@pytest.mark.timeout(30)
def test_a_thread_that_wakes_late_keeps_no_other_waiting(
    llama: CausalBackbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []

    def fail_first(batch: list[int]) -> None:
        begun.append(batch)
        if len(begun) == 1:
            raise KeyboardInterrupt
        time.sleep(0.6)  # busy when the late one wakes

    monkeypatch.setattr(threading, "Barrier", LateBarrier)
    with pytest.raises(KeyboardInterrupt):
        list(side_by_side(llama, [1] * 100, fail_first, max_tokens=1, at_once=3))
    assert not of_batches()


def test_runs_little_ahead_and_ends_when_nobody_asks(llama: CausalBackbone) -> None:
    begun = []
    results = side_by_side(llama, [200] * 50, begun.append, max_tokens=200, at_once=2)
    for _ in range(3):
        next(results)
    assert len(of_batches()) == 2
    assert len(begun) <= 3 + 4
    results.close()
    assert not of_batches()


def test_all_threads_get_a_share(llama: CausalBackbone) -> None:
    def sizes(lengths: list[int], max_tokens: int) -> list[int]:
        return [len(b) for b, _ in side_by_side(llama, lengths, len, max_tokens=max_tokens)]

    assert sizes([50] * 12, 4000) == [7, 5]  # instead of one batch of twelve
    assert sizes([100] * 10, 400) == [3, 3, 3, 1]  # instead of 4, 4 and 2
    assert sizes([10] * 9, 4000) == [9]  # too little to be worth it


def test_the_model_decides(llama: CausalBackbone, monkeypatch: pytest.MonkeyPatch) -> None:
    assert batches_at_once(llama) == 2
    assert batches_at_once(llama, most=1) == batches_at_once(llama, most=0) == 1
    with torch.autocast("cpu", torch.bfloat16):
        assert batches_at_once(llama) == 1
    config = llama.model.config
    # Tables of embeddings are looked up, not multiplied with
    assert largest_product(llama.model) == config.hidden_size * config.intermediate_size
    monkeypatch.setattr("headwise.backbones.side_by_side._LARGEST_PRODUCT", 100)
    assert batches_at_once(llama) == 1
    torch.set_num_threads(1)
    assert batches_at_once(llama, most=8) == 1


def test_encoders_run_side_by_side() -> None:
    encoder = EncoderBackbone(*tiny_encoder("bert"))
    codes = [EncodedText(tuple(range(5, 5 + n))) for n in LENGTHS * 4]
    assert batches_at_once(encoder) == 2
    both, joint = encoder.embed(codes, batch_tokens=20), encoder.joint(codes, batch_tokens=20)
    torch.set_num_threads(1)
    torch.testing.assert_close(both, encoder.embed(codes, batch_tokens=20))
    torch.testing.assert_close(joint, encoder.joint(codes, batch_tokens=20))
    assert not both.is_inference()


class Counting(nn.Module):
    """Leaves in itself what a next reading, or one at the same time, would find."""

    def __init__(self, inner: nn.Module, change: Callable[[nn.Module, torch.Tensor], None]) -> None:
        super().__init__()
        self.inner, self.change = inner, change
        self.length, self.seen = 0, []
        self.register_buffer("sum", torch.zeros(()))

    def forward(self, hidden: torch.Tensor) -> Any:
        self.change(self, hidden)
        return self.inner(hidden)


@pytest.mark.parametrize(
    "change",
    [
        lambda module, hidden: setattr(module, "length", hidden.shape[1]),
        lambda module, _: module.seen.append(1),
        lambda module, _: module.sum.add_(1),
        lambda module, _: setattr(module, "sum", module.sum + 1),
    ],
)
def test_models_that_remember_read_one_batch_at_a_time(change: Any) -> None:
    torch.set_num_threads(1)
    model = tiny_llama(tokenizer := byte_level())
    model.model.layers[0].mlp = Counting(model.model.layers[0].mlp, change)
    backbone = CausalBackbone(model, tokenizer)
    assert not backbone.keeps_no_state
    torch.set_num_threads(2)
    assert batches_at_once(backbone) == 1


def test_models_whose_lengths_matter_read_one_batch_at_a_time() -> None:
    rope = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0}
    model = tiny_llama(tokenizer := byte_level(), rope_parameters=rope)
    assert batches_at_once(CausalBackbone(model, tokenizer)) == 1
