"""The error head against a plain loop over positions that concatenates everything it reads."""

from typing import Any

import pytest
import torch
from made_error_heads import COUNTS, H, R, made_head, made_inputs
from torch import Tensor

from headwise.heads import ErrorHead, ErrorVariant

VARIANTS = list(ErrorVariant)


def plain_logits(
    head: ErrorHead,
    hidden: Tensor,
    rows: Tensor,
    counts: tuple[int, ...],
    statistics: Tensor | None,
    ended: list[bool],
) -> Tensor:
    """One position after another: one weight matrix on one long vector."""
    hidden, rows = hidden.float(), rows.float()
    if head.hidden_projection is not None and head.row_projection is not None:
        hidden, rows = hidden @ head.hidden_projection.weight.T, rows @ head.row_projection.weight.T
    width = hidden.shape[1]
    found = []
    starts = [sum(counts[:i]) for i in range(len(counts))]
    for start, count, whole in zip(starts, counts, ended, strict=True):
        last = start + count - 1
        for t in range(start, start + count):

            def features(place: int) -> Tensor:
                h, w = hidden[place], rows[place]
                mean, scale = head.mean[: 3 * width], head.scale[: 3 * width]
                return (torch.cat([h, w, h * w]) - mean) / scale

            vector, weights = [features(t)], [head.own.weight[:, : 3 * width]]
            if statistics is not None:
                mean, scale = head.mean[3 * width :], head.scale[3 * width :]
                vector.append((statistics[t] - mean) / scale)
                weights.append(head.own.weight[:, 3 * width :])
            vector.append(features(t - 1) if t > start else torch.zeros(3 * width))
            weights.append(head.preceding.weight)
            if head.following is not None and head.end is not None:
                vector.append(features(t + 1) if t < last else torch.zeros(3 * width))
                vector.append(features(last)[:width] if whole else torch.zeros(width))
                weights += [head.following.weight, head.end.weight]
            inner = torch.cat(weights, dim=1) @ torch.cat(vector) + head.own.bias
            active = inner * 0.5 * (1.0 + torch.erf(inner / 2**0.5))
            found.append(head.output.weight @ active + head.output.bias)
    return torch.stack(found)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("rank", [None, R])
@pytest.mark.parametrize("statistics", [False, True])
@pytest.mark.parametrize("counts", [COUNTS, (13,), (1,) * 13], ids=str)
def test_values_and_gradients_are_those_of_the_plain_loop(
    variant: ErrorVariant, rank: int | None, statistics: bool, counts: tuple[int, ...]
) -> None:
    head = made_head(variant, rank=rank, statistics=statistics)
    hidden, rows, known = made_inputs(13, read=statistics)
    ended = [i % 2 == 0 for i in range(len(counts))]
    found = head.logits(hidden, rows, counts, statistics=known, ended=torch.tensor(ended))
    expected = plain_logits(head, hidden, rows, counts, known, ended)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected)
    score = head.score(hidden, rows, counts, statistics=known, ended=torch.tensor(ended))
    torch.testing.assert_close(score, 1.0 / (1.0 + (-expected).exp()))

    weights = torch.arange(26.0).view(13, 2).cos()
    parameters = list(head.parameters())
    own, plain = (
        torch.autograd.grad((logits * weights).sum(), parameters) for logits in (found, expected)
    )
    for one, other in zip(own, plain, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("ended", [False, True])
def test_all_texts_are_whole_or_none(ended: bool) -> None:
    head, (hidden, rows, _) = made_head(), made_inputs(13)
    each = torch.full((4,), ended)
    assert torch.equal(
        head.logits(hidden, rows, COUNTS, ended=ended),
        head.logits(hidden, rows, COUNTS, ended=each),
    )


def test_no_text_reads_another_one() -> None:
    head, (hidden, rows, _) = made_head(), made_inputs(13)
    whole = head.logits(hidden, rows, COUNTS)
    for i, count in enumerate(COUNTS):
        part = slice(sum(COUNTS[:i]), sum(COUNTS[: i + 1]))
        alone = head.logits(hidden[part], rows[part], (count,))
        torch.testing.assert_close(whole[part], alone)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_stream_gives_what_a_text_that_goes_on_gives(variant: ErrorVariant) -> None:
    head, (hidden, rows, _) = made_head(variant), made_inputs(9)
    assert head.delay == (1 if variant is ErrorVariant.HINDSIGHT else 0)
    whole = head.logits(hidden, rows, (9,), ended=False)
    for t in range(9):
        # The token before, and those after that the head waits for
        window = slice(max(t - 1, 0), t + 1 + head.delay)
        part = hidden[window]
        found = head.logits(part, rows[window], (len(part),), ended=False)
        torch.testing.assert_close(found[min(t, 1)], whole[t])


def test_causal_ignores_what_follows_and_hindsight_does_not() -> None:
    hidden, rows, _ = made_inputs(6)
    changed = hidden.clone()
    changed[5] += 1.0
    for variant in VARIANTS:
        head = made_head(variant)
        before, after = (head.logits(h, rows, (6,)) for h in (hidden, changed))
        same = (before == after).all(dim=1).tolist()
        assert same == [variant is ErrorVariant.CAUSAL] * 5 + [False]


def test_no_positions_have_no_logits() -> None:
    for variant in VARIANTS:
        head = made_head(variant)
        for counts in ((), (0, 0)):
            assert head.logits(torch.zeros(0, H), torch.zeros(0, H), counts).shape == (0, 2)


def test_empty_texts_change_nothing() -> None:
    head, (hidden, rows, _) = made_head(), made_inputs(5)
    expected = head.logits(hidden, rows, (2, 3), ended=torch.tensor([True, False]))
    ended = torch.tensor([False, True, True, False, True])
    torch.testing.assert_close(head.logits(hidden, rows, (0, 2, 0, 3, 0), ended=ended), expected)


@pytest.mark.parametrize("rank", [None, R])
def test_bfloat16_inputs_are_read_in_float32(rank: int | None) -> None:
    head, (hidden, rows, _) = made_head(rank=rank), made_inputs(13)
    hidden, rows = hidden.bfloat16(), rows.bfloat16()
    found = head.logits(hidden, rows, COUNTS)
    assert found.dtype == torch.float32
    assert torch.equal(found, head.logits(hidden.float(), rows.float(), COUNTS))


@pytest.mark.parametrize("rank", [None, R])
def test_standardised_inputs_have_mean_0_and_spread_1(rank: int | None) -> None:
    head = ErrorHead(hidden_size=H, rank=rank, statistics=True)
    hidden, rows, statistics = made_inputs(40, read=True)
    hidden[:, 2] = 1000.0  # constant, up to rounding
    hidden[::2, 2] += 1e-4
    head.standardise(hidden, rows, statistics)
    inputs = (head.inputs(hidden, rows, statistics) - head.mean) / head.scale
    varied = torch.ones(inputs.shape[1], dtype=torch.bool)
    if rank is None:
        assert head.scale[2] == 1.0
        varied[2] = False
    torch.testing.assert_close(inputs.mean(0), torch.zeros(len(varied)), rtol=0.0, atol=1e-3)
    torch.testing.assert_close(
        inputs.std(0, correction=0)[varied], torch.ones(int(varied.sum())), rtol=1e-4, atol=0.0
    )
    head.reset_parameters()
    assert not head.mean.any()
    assert (head.scale == 1.0).all()


def test_training_drops_the_end_of_half_of_the_texts() -> None:
    head = made_head(dropout=0.0)
    hidden, rows = (part.repeat(400, 1) for part in made_inputs(2)[:2])
    ended, open_end = (head.logits(hidden, rows, (2,) * 400, ended=e) for e in (True, False))
    head.train()
    torch.manual_seed(0)
    found = head.logits(hidden, rows, (2,) * 400)
    read = torch.isclose(found, ended).all(1).view(400, 2)
    left = torch.isclose(found, open_end).all(1).view(400, 2)
    assert (read ^ left).all()  # each position one or the other
    assert (read[:, 0] == read[:, 1]).all()  # and a text's positions the same
    assert 160 < int(read[:, 0].sum()) < 240
    # What has no end is never read
    never = head.logits(hidden, rows, (2,) * 400, ended=False)
    torch.testing.assert_close(never, open_end)


def test_it_learns_what_a_plain_network_can() -> None:
    torch.manual_seed(1)
    hidden, rows, _ = made_inputs(1800)
    wrong = (hidden * rows).sum(1) < 0.0  # only products tell
    head = ErrorHead(hidden_size=H, inner_size=32)
    head.standardise(hidden, rows)
    optimizer = torch.optim.AdamW(head.parameters(), lr=1e-2)
    for _ in range(150):
        logits = head.logits(hidden, rows, (6,) * 300)[:, 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, wrong.float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    hidden, rows, _ = made_inputs(600, seed=9)
    found = head.eval().score(hidden, rows, (6,) * 100)[:, 0] > 0.5
    assert (found == ((hidden * rows).sum(1) < 0.0)).float().mean() > 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": torch.zeros(4, H + 1)}, r"hidden size of 7 as H, got \(4, 8\)"),
        ({"hidden": torch.zeros(H)}, r"must be \(N, H\)"),
        ({"rows": torch.zeros(3, H)}, r"got \(4, 7\) and \(3, 7\)"),
        ({"counts": (3, 2)}, r"share out the 4 positions among texts, got \[3, 2\].*sum to 5"),
        ({"counts": (5, -1)}, "share out the 4 positions"),
        ({"counts": ()}, "which sum to 0"),
        ({"statistics": torch.zeros(4, 3)}, "does not read `statistics`"),
        ({"ended": torch.ones(3, dtype=torch.bool)}, r"each of the 2 texts, got the shape \(3,\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    given = {"hidden": torch.zeros(4, H), "rows": torch.zeros(4, H), "counts": (3, 1)} | change
    with pytest.raises(ValueError, match=message):
        made_head().logits(**given)


def test_statistics_must_be_given_to_a_head_that_reads_them() -> None:
    head, (hidden, rows, _) = made_head(statistics=True), made_inputs(4)
    with pytest.raises(ValueError, match="reads log-probability, entropy, logarithm of the rank"):
        head.logits(hidden, rows, (4,))
    with pytest.raises(ValueError, match=r"`statistics` must be \(4, 3\), got \(4, 2\)"):
        head.logits(hidden, rows, (4,), statistics=torch.zeros(4, 2))
    with pytest.raises(ValueError, match="An empty sample has no mean"):
        head.standardise(hidden[:0], rows[:0], torch.zeros(0, 3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_size": 0}, "`hidden_size` must be a whole number"),
        ({"inner_size": 1.5}, "`inner_size` must be a whole number"),
        ({"rank": 0}, "`rank` must be a whole number"),
        ({"dropout": 1.0}, "`dropout` must be a number in"),
        ({"variant": "foresight"}, "`variant` must be causal or hindsight, got 'foresight'"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ErrorHead(**{"hidden_size": H} | options)
