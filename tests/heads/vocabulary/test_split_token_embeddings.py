import copy
import re
import warnings
from collections.abc import Mapping, Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headwise.errors import UninitialisedError
from headwise.heads import SplitTokenEmbeddings

H = 6
SIZES = {"new": 3, "base": 10, "none": 0, "more": 4}
ORDER = ("base", "none", "new", "more")
V = 17


def made(sizes: Mapping[str, int] = SIZES, order: Sequence[str] = ORDER) -> SplitTokenEmbeddings:
    torch.manual_seed(0)
    return SplitTokenEmbeddings(split_vocab_size=sizes, split_order=order, hidden_size=H)


def one_table(embeddings: SplitTokenEmbeddings) -> Tensor:
    return torch.cat([weight.detach() for weight in embeddings.weights]).requires_grad_()


@pytest.fixture(params=["eager on a CPU", "as on an accelerator"])
def _path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "eager on a CPU":
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)


@pytest.mark.usefixtures("_path")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("order", [ORDER, ("more", "new", "base", "none")])
@pytest.mark.parametrize("shape", [(), (5,), (3, 7), (0,), (2, 0)], ids=str)
def test_values_and_gradients_are_those_of_one_table(
    shape: tuple[int, ...], order: Sequence[str], dtype: torch.dtype
) -> None:
    embeddings = made(order=order).to(dtype)
    table = one_table(embeddings)
    ids = torch.randint(0, V, shape)
    found, expected = embeddings(ids), F.embedding(ids, table)
    assert found.dtype == dtype
    assert torch.equal(found, expected)
    upstream = torch.randn(expected.shape).to(dtype)
    found.backward(upstream)
    expected.backward(upstream)
    gradients = torch.cat([weight.grad for weight in embeddings.weights if len(weight)])
    torch.testing.assert_close(gradients, table.grad)


@pytest.mark.usefixtures("_path")
def test_one_split_alone_is_one_table() -> None:
    embeddings = made({"all": 9}, ["all"])
    ids = torch.randint(0, 9, (4, 4), dtype=torch.int32)
    assert torch.equal(embeddings(ids), F.embedding(ids, embeddings.weights[0]))


@pytest.mark.usefixtures("_path")
def test_frozen_splits_get_no_gradient_and_tables_without_tokens_get_zeros() -> None:
    embeddings = made()
    embeddings.freeze("base", "more")
    base, _, new, more = embeddings.weights
    embeddings(torch.tensor([[0, 10], [11, 16]])).sum().backward()
    assert base.grad is None
    assert more.grad is None
    assert new.grad.tolist() == [[1.0] * H, [1.0] * H, [0.0] * H]
    embeddings.unfreeze()
    embeddings.zero_grad()
    embeddings(torch.tensor([0, 1])).sum().backward()
    # None instead would stop DistributedDataParallel
    assert not new.grad.any()
    assert not more.grad.any()
    assert base.grad[:2].eq(1.0).all()
    embeddings.freeze()
    assert not embeddings(torch.tensor([0, 12])).requires_grad
    with pytest.raises(ValueError, match="no split named 'old'; the splits are base, none, new"):
        embeddings.freeze("old")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bool, torch.int16], ids=str)
def test_ids_of_another_type_are_refused(dtype: torch.dtype) -> None:
    with pytest.raises(ValueError, match=rf"`input_ids` must be int64 or int32, got {dtype}"):
        made()(torch.tensor([[0, 1]]).to(dtype))


def test_arguments_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError, match=r"named one by one, .* got \['base'\]\."):
        made().freeze(["base"])
    with pytest.raises(TypeError, match=r"`split_vocab_size` must map .* got \[3, 10\]\."):
        made([3, 10])
    with pytest.raises(ValueError, match=r"`hidden_size` .* at least 1, got 0"):
        SplitTokenEmbeddings(split_vocab_size={"a": 1}, split_order=["a"], hidden_size=0)


@pytest.mark.parametrize("wrong", [-1, V, V + 100])
def test_ids_out_of_range_are_refused(wrong: int, monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings = made()
    ids = torch.tensor([[0, wrong], [16, 3]])
    with pytest.raises(ValueError, match=re.escape("in [0, 17) (base=[0, 10), none")):
        embeddings(ids)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    # The table's own check, which accelerators have too, is not silenced
    with pytest.raises(IndexError):
        embeddings(ids)


def test_splits_of_another_dtype_are_cast_to_that_of_the_first() -> None:
    embeddings = made()
    embeddings.token_embedding["base"].bfloat16()
    found = embeddings(torch.tensor([0, 12]))
    assert found.dtype == torch.bfloat16
    assert torch.equal(found[1], embeddings.token_embedding["new"].weight[2].bfloat16())


@pytest.mark.parametrize(
    ("sizes", "order", "message"),
    [
        ({"a": 1, "b": 2}, ["a"], "missing: b"),
        ({"a": 1}, ["a", "c"], "unknown: c"),
        ({"a": 1}, ["a", "a"], "more than once: a"),
        ({"ab": 1}, "ab", "got 'ab'"),
        ({"": 1}, [""], "not empty and has no dots, got ''"),
        ({"a.b": 1}, ["a.b"], "got 'a.b'"),
        ({"type": 1}, ["type"], "cannot be named 'type': .* such as 'type_tokens'"),
        ({"a": -1}, ["a"], r"`split_vocab_size\['a'\]` .* got -1"),
        ({"a": 1.5}, ["a"], "got 1.5"),
        ({"a": "3"}, ["a"], "got '3'"),
        ({"a": True}, ["a"], "got True"),
        ({"a": 0}, ["a"], r"at least one token together, got \{'a': 0\}"),
        ({}, [], "at least one token together, got no split"),
    ],
)
def test_splits_that_do_not_fit_together_are_refused(
    sizes: Mapping[str, int], order: Sequence[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        made(sizes, order)


def test_an_empty_split_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made().reset_parameters()


def test_state_dicts_are_exchanged_with_d9d() -> None:
    # The names that d9d's SplitTokenEmbeddings gives to these splits
    theirs = {
        "token_embedding.orig.weight": torch.randn(5, H),
        "token_embedding.special.weight": torch.randn(2, H),
    }
    ours = made({"special": 2, "orig": 5}, ["orig", "special"])
    ours.load_state_dict(theirs)
    assert torch.equal(ours(torch.tensor(6)), theirs["token_embedding.special.weight"][1])
    d9d = nn.Module()
    d9d.token_embedding = nn.ModuleDict({"orig": nn.Embedding(5, H), "special": nn.Embedding(2, H)})
    d9d.load_state_dict(ours.state_dict())
    assert torch.equal(d9d.token_embedding["orig"].weight, theirs["token_embedding.orig.weight"])


def test_ids_of_splits_are_known() -> None:
    embeddings = made()
    assert embeddings.vocabulary_size == V
    assert embeddings.split_ranges == {
        "base": range(10),
        "none": range(10, 10),
        "new": range(10, 13),
        "more": range(13, 17),
    }
    assert list(embeddings.split_ranges) == list(ORDER)
    assert "new=[10, 13)" in repr(embeddings)


def test_a_copy_has_tables_of_its_own() -> None:
    embeddings = made()
    other = copy.deepcopy(embeddings)
    ids = torch.arange(V)
    assert torch.equal(other(ids), embeddings(ids))
    other.reset_parameters()
    assert not torch.equal(other(ids), embeddings(ids))


def test_on_the_meta_device_it_tells_shapes() -> None:
    with torch.device("meta"):
        embeddings = made()
        found = embeddings(torch.zeros(2, 3, dtype=torch.int64))
    assert found.is_meta
    assert found.shape == (2, 3, H)
    with pytest.raises(UninitialisedError, match="materialise"):
        embeddings(torch.zeros(2, dtype=torch.int64))


def test_compiled_code_needs_no_break() -> None:
    embeddings = made()
    compiled = torch.compile(embeddings, backend="eager", fullgraph=True)
    ids = torch.randint(0, V, (2, 5))
    found = compiled(ids)
    assert torch.equal(found, embeddings(ids))
    found.sum().backward()
    assert embeddings.weights[0].grad.any()
