"""Two and three processes that share a vocabulary against one that holds all of it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import vocabulary_parallel_worker as worker
from dense_losses import dense_cross_entropy, upstream_sum
from torch import Tensor

CLOSE = {"rtol": 1e-9, "atol": 1e-11}


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What every rank found for every layout and case; the processes start once for all."""
    folder = tmp_path_factory.mktemp("ranks")
    result = subprocess.run(
        [sys.executable, worker.__file__, str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 0, result.stderr
    return [_load(folder / f"rank{rank}.pt") for rank in range(worker.WORLD)]


def _load(path: Path) -> dict[str, Any]:
    return torch.load(path, weights_only=True)


def expected(case: dict[str, Any]) -> dict[str, Any]:
    """The same on one process, from the dense formula."""
    given = worker.inputs(case)
    hidden, weight, bias = (given[n].requires_grad_() for n in ("hidden", "weight", "bias"))
    options = worker.options_of(case)
    options.pop("workspace_bytes", None)
    asked = [True, options.pop("return_logsumexp", False), options.pop("return_entropy", False)]
    dense = dense_cross_entropy(
        hidden,
        weight,
        given["targets"],
        bias=bias if case.get("bias") else None,
        token_weights=given["token_weights"] if case.get("token_weights") else None,
        **options,
    )
    outputs = [part for part, wanted in zip(dense, asked, strict=True) if wanted]
    upstream_sum(outputs).backward()
    return {
        "outputs": [output.detach() for output in outputs],
        "hidden": hidden.grad,
        "weight": weight.grad,
        "bias": bias.grad,
    }


@pytest.mark.parametrize("layout", worker.LAYOUTS)
@pytest.mark.parametrize("name", worker.CASES)
def test_every_rank_has_the_loss_of_one(
    ranks: list[dict[str, Any]], layout: str, name: str
) -> None:
    wanted = expected(worker.CASES[name])
    for rank in range(len(worker.LAYOUTS[layout])):
        found: list[Tensor] = ranks[rank][layout][name]["outputs"]
        for part, target in zip(found, wanted["outputs"], strict=True):
            torch.testing.assert_close(part, target, **CLOSE)


@pytest.mark.parametrize("layout", worker.LAYOUTS)
@pytest.mark.parametrize("name", worker.CASES)
def test_every_rank_has_the_whole_gradient_of_hidden_and_its_slice_of_the_rest(
    ranks: list[dict[str, Any]], layout: str, name: str
) -> None:
    wanted = expected(worker.CASES[name])
    sizes = worker.LAYOUTS[layout]
    for rank in range(len(sizes)):
        found = ranks[rank][layout][name]
        torch.testing.assert_close(found["hidden"], wanted["hidden"], **CLOSE)
        own = slice(sum(sizes[:rank]), sum(sizes[: rank + 1]))
        torch.testing.assert_close(found["weight"], wanted["weight"][own], **CLOSE)
        if wanted["bias"] is None:
            assert found["bias"] is None
        else:
            torch.testing.assert_close(found["bias"], wanted["bias"][own], **CLOSE)


@pytest.mark.parametrize("layout", worker.LAYOUTS)
def test_a_target_that_no_rank_holds_is_refused_by_all(
    ranks: list[dict[str, Any]], layout: str
) -> None:
    for rank in range(len(worker.LAYOUTS[layout])):
        message = ranks[rank][layout]["refusal"]
        assert "targets" in message
        assert str(worker.VOCABULARY) in message


@pytest.mark.parametrize("layout", worker.LAYOUTS)
def test_ranks_that_disagree_are_told_so(ranks: list[dict[str, Any]], layout: str) -> None:
    for rank in range(len(worker.LAYOUTS[layout])):
        assert "same `hidden`, `targets`" in ranks[rank][layout]["disagreement"]


@pytest.mark.parametrize("layout", worker.LAYOUTS)
def test_a_rank_may_be_the_only_one_that_learns(ranks: list[dict[str, Any]], layout: str) -> None:
    sizes = worker.LAYOUTS[layout]
    wanted = expected({"reduction": "sum"})["weight"][sizes[0] : sizes[0] + sizes[1]]
    assert ranks[0][layout]["frozen"]["weight"] is None
    torch.testing.assert_close(ranks[1][layout]["frozen"]["weight"], wanted, **CLOSE)
