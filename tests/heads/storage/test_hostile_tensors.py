"""Files that ask for more than they hold, or hold what is no plain tensor."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from made_heads import made_heads
from safetensors.torch import load_file, save_file
from torch import Tensor

from headwise.errors import WeightsError
from headwise.heads import (
    ErrorHead,
    SigmoidHead,
    load_error_head,
    load_head,
    load_task_heads,
    save_head,
    save_seed_heads,
    save_task_heads,
)
from headwise.heads.storage.quality_heads import read_head_info

NAME = "nli_hidden.0.weight"


def nested(tensor: Tensor) -> Tensor:
    with warnings.catch_warnings(action="ignore"):
        return torch.nested.nested_tensor([tensor, tensor])


TENSORS: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "sparse": (lambda t: t.to_sparse(), "sparse or nested"),
    "compressed": (lambda t: t.to_sparse_csr(), "sparse or nested"),
    "nested": (nested, "sparse or nested"),
    "meta": (lambda t: t.to("meta"), "without values"),
    "quantised": (lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8), "quantised"),
    "expanded": (lambda _: torch.zeros(1).expand(10**6, 10**6), "expanded"),
    "overlapping": (lambda _: torch.zeros(99).as_strided((99, 12), (1, 0)), "expanded"),
    "complex": (lambda t: t.to(torch.complex64), "floating point numbers"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", TENSORS)
def test_only_plain_tensors_of_a_seed_file_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "task_heads.pt"
    save_seed_heads(made_heads(), path)
    change, said = TENSORS[kind]
    state = torch.load(path)
    torch.save({**state, NAME: change(state[NAME])}, path)
    with pytest.raises(WeightsError, match=said) as refusal:
        load_task_heads(path)
    assert str(path) in str(refusal.value)
    assert NAME in str(refusal.value)


HUGE, BEYOND = 10**12, 10**30
SIZES = [HUGE, BEYOND, -1, 0, True, 2.0, "3", None, [3]]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["hidden_size", "inner_size", "rank", "statistics"])
def test_sizes_of_an_error_head_that_its_file_does_not_hold(
    tmp_path: Path, name: str, size: Any
) -> None:
    save_head(ErrorHead(hidden_size=4, inner_size=3, rank=2), tmp_path)
    path = tmp_path / "error_head.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: size}))
    with pytest.raises(WeightsError, match=r"error_head\.json"):
        load_error_head(tmp_path)


@pytest.mark.parametrize("size", [HUGE, BEYOND, -1, "x", [3]])
def test_sizes_of_task_heads_that_their_file_does_not_hold(tmp_path: Path, size: Any) -> None:
    save_task_heads(made_heads(), tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"hidden_size": size}))
    with pytest.raises(WeightsError):
        load_task_heads(tmp_path)


def test_an_empty_matrix_makes_no_head(tmp_path: Path) -> None:
    save_task_heads(made_heads(), tmp_path)
    path = tmp_path / "model.safetensors"
    save_file({**load_file(path), NAME: torch.zeros(0, 12)}, path)
    with pytest.raises(WeightsError, match="do not make heads"):
        load_task_heads(tmp_path)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"prompt": 3}, "`prompt` in .* must be an object or null, got 3"),
        ({"prompt": ["a"]}, "`prompt` in .* must be an object"),
        ({"backbone": {"a": 1}}, "`backbone` in .* must be a name or null"),
        ({"head_type": ["a"]}, "unknown head"),
    ],
)
def test_what_a_head_belongs_to_is_a_name_and_a_prompt(
    tmp_path: Path, said: dict[str, Any], message: str
) -> None:
    save_head(SigmoidHead(vocabulary_size=5, hidden_size=3), tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | said))
    with pytest.raises(WeightsError, match=message):
        read_head_info(tmp_path), load_head(tmp_path, unembedding=lambda: None)  # type: ignore
