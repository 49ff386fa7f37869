"""The error head token by token against the head that reads the whole text at once."""

import pytest
import torch
from made_error_heads import R, made_head, made_inputs

from headwise.heads import ErrorReader, ErrorVariant


@pytest.mark.parametrize("variant", list(ErrorVariant))
@pytest.mark.parametrize("rank", [None, R])
@pytest.mark.parametrize("statistics", [False, True])
@pytest.mark.parametrize("count", [1, 2, 13])
def test_probabilities_are_those_of_a_text_without_its_end(
    variant: ErrorVariant, rank: int | None, statistics: bool, count: int
) -> None:
    head = made_head(variant, rank=rank, statistics=statistics).eval()
    hidden, rows, known = made_inputs(count, read=statistics)
    right = head.score(hidden, rows, [count], statistics=known, ended=False)
    reader = ErrorReader(head)
    for _ in range(2):  # after the end of a text, another one
        found = []
        for t in range(count):
            numbers = None if known is None else known[t : t + 1]
            judged = reader.push(hidden[t : t + 1], rows[t : t + 1], numbers)
            assert (judged is None) is (t < head.delay)
            found += [judged] if judged else []
        last = reader.finish()
        assert (last is None) is (head.delay == 0)
        found += [last] if last else []
        torch.testing.assert_close(torch.tensor(found), right)
    assert reader.finish() is None
