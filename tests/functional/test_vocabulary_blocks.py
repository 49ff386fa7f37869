"""Statistics read block by block, against the dense formula and against whole rows."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from headwise.backbones import Unembedding, unembedding
from headwise.functional import LargestDrop, TopK, VocabularyStatistics, vocabulary_statistics
from headwise.functional.vocabulary_blocks import LogitReader, block_width
from peak_memory import peak_bytes

EVERYTHING = {"entropy": True, "rank": True, "top_k": 3, "selector": LargestDrop()}
CLOSE = {"rtol": 1e-5, "atol": 1e-5}
HALVES = (torch.bfloat16, torch.float16)


@pytest.fixture(autouse=True)
def weights_that_no_cache_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unembedding, "_CACHED_BYTES", 0)


class WholeRows:
    """An output layer that gives all its logits at once."""

    def __init__(self, logits: Callable[[Tensor], Tensor], vocabulary_size: int) -> None:
        self._logits, self.vocabulary_size = logits, vocabulary_size

    def __call__(self, hidden: Tensor) -> Tensor:
        return self._logits(hidden)


def problem(n: int, v: int, h: int = 8) -> tuple[Tensor, Unembedding, Tensor]:
    torch.manual_seed(n + v + h)
    layer = Unembedding(torch.randn(v, h), bias=torch.randn(v), scale=0.7, softcap=3.0)
    return torch.randn(n, h), layer, torch.randint(0, v, (n,))


def assert_equal(found: VocabularyStatistics, expected: VocabularyStatistics) -> None:
    for name in VocabularyStatistics.__dataclass_fields__:
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), **CLOSE, msg=name)


def in_float32(layer: Unembedding, hidden: Tensor) -> Tensor:
    assert layer.bias is not None
    products = layer.scale * (hidden.float() @ layer.weight.float().T) + layer.bias.float()
    return products if layer.softcap is None else layer.softcap * (products / layer.softcap).tanh()


@pytest.mark.parametrize("keeps_rows", [False, True])
@settings(deadline=None, max_examples=60)
@given(n=st.integers(0, 9), v=st.integers(3, 60), rows=st.integers(1, 40))
def test_equals_whole_rows_for_any_size_and_block(
    n: int, v: int, rows: int, keeps_rows: bool
) -> None:
    hidden, layer, targets = problem(n, v)
    options = EVERYTHING if keeps_rows else {"entropy": True}
    whole = WholeRows(lambda x: in_float32(layer, x), v)
    found = vocabulary_statistics(
        hidden, layer, targets, workspace_bytes=rows * 300 + 200 * v + 11_000, **options
    )
    assert_equal(found, vocabulary_statistics(hidden, whole, targets, **options))


def test_blocks_of_several_chunks_are_joined() -> None:
    hidden, layer, targets = problem(40, 2000)
    workspace = 200_000
    reader = LogitReader(layer, hidden, keeps_rows=True, candidates=0, workspace_bytes=workspace)
    width = block_width(40, vocabulary_size=2000, hidden_size=8, workspace_bytes=workspace)
    assert len(reader.plan.parts) > 2
    assert 2 * width < 2000
    log_probs = in_float32(layer, hidden).log_softmax(-1)
    own = log_probs.gather(1, targets[:, None])
    for rank in (False, True):
        found = vocabulary_statistics(
            hidden, layer, targets, rank=rank, entropy=True, workspace_bytes=workspace
        )
        torch.testing.assert_close(found.log_prob, own[:, 0], **CLOSE)
        torch.testing.assert_close(found.entropy, -(log_probs.exp() * log_probs).sum(-1), **CLOSE)
    torch.testing.assert_close(found.rank, (log_probs > own).sum(-1) + 1)


def test_a_block_without_any_probability_changes_nothing() -> None:
    hidden, layer, targets = problem(5, 1500)
    assert layer.bias is not None
    layer = Unembedding(layer.weight, bias=layer.bias.clone())
    layer.bias[:1100] = -torch.inf
    targets = targets.clamp(min=1100)
    whole = WholeRows(lambda x: in_float32(layer, x), 1500)
    found = vocabulary_statistics(hidden, layer, targets, **EVERYTHING)
    assert bool(found.entropy.isfinite().all())
    assert_equal(found, vocabulary_statistics(hidden, whole, targets, **EVERYTHING))


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("fast", [False, True])
def test_what_the_processor_multiplies_fast_is_multiplied_as_it_is(
    fast: bool, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden, layer, targets = problem(7, 700, 16)
    layer = Unembedding(layer.weight.to(dtype))
    hidden = hidden.to(dtype)
    names = {"avx512_bf16": True, "amx_fp16": True} if fast else {"avx512_f": True}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: names)
    exact = hidden.float() @ layer.weight.float().T
    expected = (hidden @ layer.weight.T).float() if fast else exact
    assert not torch.allclose((hidden @ layer.weight.T).float(), exact, **CLOSE)

    found = vocabulary_statistics(hidden, layer, targets, **EVERYTHING)

    assert found.log_prob.dtype == torch.float32
    assert_equal(
        found,
        vocabulary_statistics(hidden, WholeRows(lambda _: expected, 700), targets, **EVERYTHING),
    )


def test_a_pytorch_that_knows_nothing_of_the_processor_multiplies_in_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not any(map(unembedding.multiplies_fast, HALVES))


def test_blocks_are_for_weights_that_no_cache_holds_or_of_types_that_no_unit_multiplies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    monkeypatch.setattr(unembedding, "_CACHED_BYTES", 4 * 800)
    small, large = torch.zeros(100, 8), torch.zeros(101, 8)
    types = (torch.float32, torch.bfloat16, torch.float16, torch.float64)
    chosen = [Unembedding(small.to(t)).reads_by_block for t in types]
    assert chosen == [False, False, True, False]
    assert Unembedding(large).reads_by_block
    assert not Unembedding(large.to("meta")).reads_by_block


def test_all_logits_at_once_are_those_of_the_blocks() -> None:
    hidden, layer, _ = problem(6, 1500)
    hidden = hidden.view(2, 3, 8)
    torch.testing.assert_close(layer(hidden), in_float32(layer, hidden), **CLOSE)
    # A gradient needs the products themselves
    layer(hidden.requires_grad_()).sum().backward()
    assert bool(hidden.grad.abs().gt(0).any())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "options",
    [{}, {"entropy": True}, {"rank": True}, {"selector": TopK()}, EVERYTHING],
    ids=["logprob", "entropy", "rank", "boosted", "everything"],
)
def test_memory_stays_within_the_workspace(options: dict[str, object], dtype: torch.dtype) -> None:
    """Far below what a float32 copy of the weight would take, 1.9 MiB."""
    hidden, layer, targets = problem(200, 5000, 96)
    layer = Unembedding(layer.weight.to(dtype), bias=layer.bias)
    hidden, workspace = hidden.to(dtype), 800_000

    peak, result = peak_bytes(
        lambda: vocabulary_statistics(hidden, layer, targets, workspace_bytes=workspace, **options)
    )

    results = sum(
        tensor.nbytes
        for name in VocabularyStatistics.__dataclass_fields__
        if (tensor := getattr(result, name)) is not None
    )
    assert workspace / 4 < peak <= workspace + 2 * results


def test_a_workspace_that_holds_no_position_is_refused() -> None:
    hidden, layer, targets = problem(2, 1000)
    with pytest.raises(ValueError, match="`workspace_bytes` must be at least"):
        vocabulary_statistics(hidden, layer, targets, rank=True, workspace_bytes=1000)
