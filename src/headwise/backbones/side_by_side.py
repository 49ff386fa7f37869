"""Batches worked on side by side, each by few threads, where a model's products are small.

Threads that share a product wait for each other at its end. In small products they wait often, and
for long where another program keeps one of the processors busy; batches do not wait at all.
"""

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from itertools import islice
from typing import TypeVar

import torch
from torch import nn

from headwise.backbones.encodings import length_batches
from headwise.backbones.frozen_model import FrozenModel

Result = TypeVar("Result")

# Weights of the largest product that one thread computes as fast as several do together
_LARGEST_PRODUCT = 2**20
# Python runs one thread at a time, for about a tenth of a small model's batch
_MOST_BATCHES = 8
# Tokens of a batch: fewer cost more Python than they save, many more leave threads without work
# earlier
_LEAST_TOKENS, _MOST_TOKENS = 128, 640
# Threads are set up one caller at a time: what they start with is one number for the process
_SETTING_UP = threading.Lock()


def side_by_side(
    backbone: FrozenModel,
    lengths: Sequence[int],
    work: Callable[[list[int]], Result],
    *,
    max_tokens: int,
    at_once: int | None = None,
) -> Iterator[tuple[list[int], Result]]:
    """Work on items in batches of similar length, several batches at a time where that is faster.

    That is so for small models on processors, with as many threads as PyTorch has in the calling
    thread (`torch.set_num_threads`, ``OMP_NUM_THREADS``); it has as many afterwards. At most two
    batches a thread are under way. An error of ``work`` ends it all.

    Args:
        backbone: What reads them.
        lengths: Tokens of each item.
        work: Done to the places of a batch's items, in any thread, whose modes (`no_grad` and the
            like) are PyTorch's own.
        max_tokens: Bound on the padded tokens of a batch.
        at_once: How many batches, by default :func:`batches_at_once`.

    Yields:
        The places of each batch, those of the longest items first, and what became of it.
    """
    if at_once is None:
        at_once = batches_at_once(backbone)
    if at_once == 1:
        for batch in length_batches(lengths, max_tokens=max_tokens):
            yield batch, work(batch)
        return
    share = min(max_tokens, _share(lengths, max_tokens, at_once))
    batches = length_batches(lengths, max_tokens=share)
    yield from zip(batches, _in_threads(work, batches, at_once), strict=True)


def batches_at_once(backbone: FrozenModel, *, most: int = _MOST_BATCHES) -> int:
    """How many batches of a model are worked on side by side, ``most`` at most; 1 for one alone."""
    if backbone.waits_for_others:
        return max(1, min(most, _MOST_BATCHES))
    found = min(torch.get_num_threads(), most, _MOST_BATCHES)
    return found if found > 1 and _reads_side_by_side(backbone) else 1


def tokens_at_once(backbone: FrozenModel, *, max_tokens: int) -> int:
    """Padded tokens that :func:`side_by_side` works on at the same time, in all its batches."""
    at_once = batches_at_once(backbone)
    return max_tokens if at_once == 1 else at_once * min(max_tokens, _MOST_TOKENS)


def _reads_side_by_side(backbone: FrozenModel) -> bool:
    return (
        backbone.device.type == "cpu"
        and torch.backends.openmp.is_available()  # else threads have no number of their own
        and not torch.is_autocast_enabled("cpu")  # which other threads know nothing of
        and largest_product(backbone.model) <= _LARGEST_PRODUCT
        and backbone.keeps_no_state
    )


def largest_product(model: nn.Module) -> int:
    """Weights of the largest matrix that hidden states are multiplied with in a model's layers."""
    tables = (nn.Embedding,)
    output = getattr(model, "get_output_embeddings", lambda: None)()
    sizes = (
        weight.shape[-2] * weight.shape[-1]
        for module in model.modules()
        if not isinstance(module, tables) and module is not output
        for weight in module.parameters(recurse=False)
        if weight.ndim > 1
    )
    return max(sizes, default=0)


def _share(lengths: Sequence[int], max_tokens: int, at_once: int) -> int:
    """Tokens a batch, with which all threads get about as many of them."""
    total = sum(lengths) / at_once
    # To the nearest: half as many tokens again cost less than a batch more for every thread
    rounds = max(1, round(total / _MOST_TOKENS), math.ceil(total / max_tokens))
    # A batch falls short of its bound by less than an item
    return max(_LEAST_TOKENS, math.ceil(total / rounds) + max(lengths, default=0))


def _in_threads(
    work: Callable[[list[int]], Result], batches: list[list[int]], at_once: int
) -> Iterator[Result]:
    """Results of batches in order, from threads that end with them."""
    count = min(at_once, len(batches))
    if not count:
        return
    each = max(1, torch.get_num_threads() // _MOST_BATCHES)
    ready = threading.Barrier(count + 1)

    def set_up() -> None:
        # PyTorch sets a thread up when it is first asked for something, and would undo the rest
        torch.get_num_threads()
        torch.set_num_threads(each)
        ready.wait()

    pool = ThreadPoolExecutor(count, "headwise-batch", set_up)
    under_way: deque[Future[Result]] = deque()
    rest = iter(batches)

    def start(number: int) -> None:
        for batch in islice(rest, number):
            under_way.append(pool.submit(copy_context().run, work, batch))

    try:
        with _SETTING_UP:
            before = _in_new_thread(torch.get_num_threads)
            try:
                start(2 * count)
                ready.wait()
            except BaseException:
                # Not later: a thread that was let through and has not woken yet would take it for
                # a failure, and empty the queue of what tells the others to end
                ready.abort()
                raise
            finally:
                # Threads that others start have what they would have had
                _in_new_thread(partial(torch.set_num_threads, before))
        while under_way:
            result = under_way.popleft().result()
            start(1)
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def _in_new_thread(call: Callable[[], Result]) -> Result:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()
