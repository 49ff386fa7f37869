from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from headwise.functional import (
    DominantSelector,
    EpsilonCut,
    EtaCut,
    LargestDrop,
    MinP,
    TopK,
    TopP,
    VocabularyStatistics,
    boosted_probability,
    dominant_tokens,
    vocabulary_statistics,
)
from headwise.functional.dominant_tokens import boost
from peak_memory import peak_bytes

SELECTORS = [LargestDrop(), EpsilonCut(), EtaCut(), TopK(), TopP(), MinP()]
EVERYTHING = {"entropy": True, "rank": True, "top_k": 3, "selector": LargestDrop()}
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


@dataclass
class Layer:
    """An output layer that writes down how many positions it was asked for at a time."""

    weight: Tensor
    forbidden: Tensor | None = None
    rows: list[int] = field(default_factory=list)

    @property
    def vocabulary_size(self) -> int:
        return len(self.weight)

    def __call__(self, hidden: Tensor) -> Tensor:
        self.rows.append(len(hidden))
        logits = hidden.to(self.weight.dtype) @ self.weight.T
        return logits if self.forbidden is None else logits.masked_fill_(self.forbidden, -torch.inf)


def inputs(n: int, v: int, h: int = 8, *, scale: float = 1.0) -> tuple[Tensor, Layer, Tensor]:
    torch.manual_seed(n + v + h)
    return torch.randn(n, h) * scale, Layer(torch.randn(v, h)), torch.randint(0, v, (n,))


def dense(
    logits: Tensor, targets: Tensor, top_k: int, selector: DominantSelector
) -> VocabularyStatistics:
    """The same, from the whole matrix and by the book."""
    log_probs = logits.float().log_softmax(-1)
    own = log_probs.gather(1, targets[:, None])
    top = log_probs.topk(top_k, dim=-1)
    return VocabularyStatistics(
        log_prob=own[:, 0],
        entropy=-(log_probs.exp() * log_probs).nansum(-1),
        rank=(logits > logits.gather(1, targets[:, None])).sum(-1) + 1,
        top_ids=top.indices,
        top_log_probs=top.values,
        dominant_mass=dominant_tokens(log_probs, selector=selector).mass,
        boosted=boosted_probability(log_probs, targets, selector=selector),
    )


def assert_equal(found: VocabularyStatistics, expected: VocabularyStatistics) -> None:
    for name in VocabularyStatistics.__dataclass_fields__:
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), **CLOSE, msg=name)


@settings(deadline=None)
@given(
    n=st.integers(0, 9),
    v=st.integers(3, 60),
    rows=st.integers(1, 10),
    selector=st.sampled_from(SELECTORS),
)
def test_equals_the_dense_formula_for_any_size_and_chunk(
    n: int, v: int, rows: int, selector: DominantSelector
) -> None:
    hidden, layer, targets = inputs(n, v)
    found = vocabulary_statistics(
        hidden,
        layer,
        targets,
        entropy=True,
        rank=True,
        top_k=3,
        selector=selector,
        workspace_bytes=rows * (v * 60 + 64) + 8 * v,
    )
    assert_equal(found, dense(hidden @ layer.weight.T, targets, 3, selector))
    assert sum(layer.rows) == n


def test_chunks_cover_all_rows_and_the_last_one_is_partial() -> None:
    hidden, layer, targets = inputs(11, 500)
    found = vocabulary_statistics(hidden, layer, targets, workspace_bytes=24_000)
    assert layer.rows == [4, 4, 3]
    assert found.log_prob.shape == (11,)


@pytest.mark.parametrize("selector", SELECTORS, ids=lambda s: type(s).__name__)
def test_more_than_1024_tokens(selector: DominantSelector) -> None:
    hidden, layer, targets = inputs(5, 1500)
    found = vocabulary_statistics(
        hidden, layer, targets, entropy=True, rank=True, top_k=3, selector=selector
    )
    assert_equal(found, dense(hidden @ layer.weight.T, targets, 3, selector))


def test_only_what_is_asked_for_is_there() -> None:
    hidden, layer, targets = inputs(4, 9)
    found = vocabulary_statistics(hidden, layer, targets)
    filled = [n for n in VocabularyStatistics.__dataclass_fields__ if getattr(found, n) is not None]
    assert filled == ["log_prob"]
    assert vocabulary_statistics(hidden, layer, targets, selector=TopK()).entropy is None


def test_forbidden_tokens_have_no_probability_and_break_nothing() -> None:
    hidden, layer, targets = inputs(6, 20)
    layer.forbidden = torch.zeros(20, dtype=torch.bool)
    layer.forbidden[5:] = True
    targets = torch.tensor([0, 1, 2, 3, 4, 5])
    expected = dense(layer(hidden), targets, 3, LargestDrop())

    found = vocabulary_statistics(hidden, layer, targets, **EVERYTHING)

    for name in ("entropy", "rank", "top_ids", "top_log_probs", "dominant_mass", "boosted"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), **CLOSE)
    torch.testing.assert_close(found.log_prob[:5], expected.log_prob[:5], **CLOSE)
    # The lowest float32 instead of minus infinity: it stays a number in every format
    assert found.log_prob[5] < -1e38
    assert bool(found.log_prob.isfinite().all())
    assert found.boosted is not None
    assert found.boosted[5] == 0.0


def test_certainty_has_entropy_zero() -> None:
    layer = Layer(torch.tensor([[0.0], [1000.0], [-1000.0]]))
    found = vocabulary_statistics(torch.ones(1, 1), layer, torch.tensor([1]), **EVERYTHING)
    assert found.entropy is not None
    assert float(found.entropy) == 0.0
    assert float(found.log_prob) == 0.0


def test_equal_logits_share_a_rank() -> None:
    layer = Layer(torch.tensor([[1.0], [3.0], [3.0], [2.0]]))
    found = vocabulary_statistics(torch.ones(4, 1), layer, torch.tensor([0, 1, 2, 3]), rank=True)
    assert found.rank is not None
    assert found.rank.tolist() == [4, 1, 1, 3]


@pytest.mark.parametrize("hidden_dtype", [torch.bfloat16, torch.float32])
def test_bfloat16_weights_are_reduced_in_float32(hidden_dtype: torch.dtype) -> None:
    hidden, layer, targets = inputs(7, 300, 16)
    layer.weight = layer.weight.bfloat16()
    hidden = hidden.to(hidden_dtype)
    found = vocabulary_statistics(hidden, layer, targets, **EVERYTHING)
    assert found.log_prob.dtype == torch.float32
    assert_equal(found, dense(layer(hidden), targets, 3, LargestDrop()))


def test_logits_of_a_shared_tensor_are_only_overwritten_where_allowed() -> None:
    hidden, layer, targets = inputs(4, 50)
    before = hidden.clone(), layer.weight.clone(), targets.clone()
    vocabulary_statistics(hidden, layer, targets, **EVERYTHING)
    torch.testing.assert_close((hidden, layer.weight, targets), before, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("selector", [None, *SELECTORS], ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("v", [600, 5000])
def test_memory_stays_within_the_workspace(
    v: int, selector: DominantSelector | None, dtype: torch.dtype
) -> None:
    hidden, layer, targets = inputs(64, v, 16)
    hidden, layer.weight = hidden.to(dtype), layer.weight.to(dtype)
    workspace = 400 * v
    options = {"entropy": True, "rank": True, "top_k": 5, "selector": selector}

    peak, result = peak_bytes(
        lambda: vocabulary_statistics(hidden, layer, targets, workspace_bytes=workspace, **options)
    )

    results = sum(
        tensor.nbytes
        for name in VocabularyStatistics.__dataclass_fields__
        if (tensor := getattr(result, name)) is not None
    )
    assert max(layer.rows) < 64
    assert peak <= workspace + 2 * results  # the parts, and then the whole that they are joined to
    assert peak > workspace / 4  # nor is the estimate far too cautious


def test_a_workspace_that_holds_no_row_is_refused() -> None:
    hidden, layer, targets = inputs(2, 1000)
    with pytest.raises(ValueError, match="`workspace_bytes` must be at least"):
        vocabulary_statistics(hidden, layer, targets, workspace_bytes=1000)


@pytest.mark.parametrize("top_k", [-1, 10])
def test_an_impossible_number_of_alternatives_is_refused(top_k: int) -> None:
    hidden, layer, targets = inputs(2, 9)
    with pytest.raises(ValueError, match=r"`top_k` must lie in \[0, 9\]"):
        vocabulary_statistics(hidden, layer, targets, top_k=top_k)


def test_shapes_that_do_not_fit_are_refused() -> None:
    hidden, layer, targets = inputs(4, 9)
    with pytest.raises(ValueError, match=r"`hidden` must be \(N, H\)"):
        vocabulary_statistics(hidden, layer, targets[:3])
    with pytest.raises(ValueError, match=r"`hidden` must be \(N, H\)"):
        vocabulary_statistics(hidden[0], layer, targets[0])


def test_boost_leaves_other_tokens_alone() -> None:
    log_probs = torch.tensor([[0.6, 0.3, 0.06, 0.04]]).log().expand(4, 4)
    dominant = dominant_tokens(log_probs, selector=TopK(k=2))
    boosted = boost(torch.tensor([0.6, 0.3, 0.06, 0.04]), torch.arange(4), dominant=dominant)
    torch.testing.assert_close(boosted, torch.tensor([0.9, 0.9, 0.06, 0.04]))
