from typing import Any

import pytest
import torch

from headwise.functional.pooling import Pooling, pool

THEIR_NAMES = {how: str(how) for how in Pooling} | {
    Pooling.MEAN_SQRT_LENGTH: "mean_sqrt_len_tokens"
}
LENGTHS = (5, 1, 3)


def ragged(side: str, *, filling: float = 7.0) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    place = torch.arange(5)
    if side == "left":
        place = place.flip(0)
    mask = place < torch.tensor(LENGTHS).unsqueeze(1)
    hidden = torch.randn(3, 5, 4).masked_fill(~mask.unsqueeze(-1), filling)
    return hidden, mask


def plain(tokens: torch.Tensor, how: Pooling) -> torch.Tensor:
    count = len(tokens)
    weights = torch.arange(1, count + 1).unsqueeze(1)
    return {
        Pooling.CLS: tokens[0],
        Pooling.LAST: tokens[-1],
        Pooling.MEAN: tokens.mean(0),
        Pooling.MAX: tokens.amax(0),
        Pooling.MEAN_SQRT_LENGTH: tokens.sum(0) / count**0.5,
        Pooling.WEIGHTED_MEAN: (tokens * weights).sum(0) / weights.sum(),
    }[how]


@pytest.mark.parametrize("how", Pooling)
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("filling", [7.0, float("nan"), float("inf")])
def test_equals_the_plain_formula_whatever_stands_at_padding(
    how: Pooling, side: str, filling: float
) -> None:
    hidden, mask = ragged(side, filling=filling)
    right = torch.stack([plain(h[m], how) for h, m in zip(hidden, mask, strict=True)])
    torch.testing.assert_close(pool(hidden, mask.long(), how), right)


@pytest.mark.parametrize("how", Pooling)
@pytest.mark.parametrize("side", ["left", "right"])
def test_equals_sentence_transformers(how: Pooling, side: str) -> None:
    modules: Any = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    hidden, mask = ragged(side)
    theirs = modules.Pooling(4, THEIR_NAMES[how])(
        {"token_embeddings": hidden, "attention_mask": mask.long()}
    )
    torch.testing.assert_close(pool(hidden, mask, how), theirs["sentence_embedding"])


@pytest.mark.parametrize("how", Pooling)
def test_bfloat16_is_pooled_in_float32(how: Pooling) -> None:
    hidden, mask = ragged("right")
    half = hidden.bfloat16()
    found = pool(half, mask, how)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, pool(half.float(), mask, how))


@pytest.mark.parametrize("how", Pooling)
@pytest.mark.parametrize("width", [0, 3])
def test_a_text_without_tokens_is_zeros(how: Pooling, width: int) -> None:
    found = pool(torch.randn(2, width, 4), torch.zeros(2, width), how)
    torch.testing.assert_close(found, torch.zeros(2, 4))


@pytest.mark.parametrize("how", Pooling)
def test_gradients_reach_real_tokens_only(how: Pooling) -> None:
    hidden, mask = ragged("left")
    hidden.requires_grad_()
    pool(hidden, mask, how).sum().backward()
    assert hidden.grad is not None
    assert not hidden.grad[~mask].any()
    assert hidden.grad[mask].any()


@pytest.mark.parametrize("mask", [(3, 4), (2, 5), (3, 5, 1)])
def test_a_mask_of_another_shape_is_refused(mask: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(B, T\), got"):
        pool(torch.zeros(3, 5, 4), torch.ones(mask), Pooling.MEAN)
