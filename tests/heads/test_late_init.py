from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from headwise.choices import NLIFeatures
from headwise.errors import UninitialisedError
from headwise.heads import (
    AbstentionHead,
    BiasedSigmoidHead,
    ClassificationHead,
    ContextualSigmoidHead,
    EmbeddingHead,
    LateInteractionHead,
    ModuleLateInit,
    NLIHead,
    RescaledSigmoidHead,
    RescalingHead,
    SharedUnembeddingHead,
    SigmoidHead,
    SplitLanguageModellingHead,
    SplitTokenEmbeddings,
    TaskHeads,
    TaskHeadsConfig,
    ValueHead,
    materialise,
)

SIZES = {"vocabulary_size": 11, "hidden_size": 6}
SPLITS = {"split_vocab_size": {"base": 9, "none": 0, "new": 2}, "hidden_size": 6}
ORDER = ("base", "none", "new")


def task_heads() -> TaskHeads:
    """A container, which leaves it to its children to keep the contract."""
    nli, abstention = NLIHead(input_size=6, hidden_size=5), AbstentionHead(hidden_size=5)
    config = TaskHeadsConfig(features=NLIFeatures.JOINT, hidden_size=6, embedding_size=6)
    return TaskHeads(config=config, nli=nli, abstention=abstention)


HEADS: dict[str, Callable[[], nn.Module]] = {
    "sigmoid": lambda: SigmoidHead(**SIZES),
    "biased": lambda: BiasedSigmoidHead(**SIZES),
    "contextual": lambda: ContextualSigmoidHead(**SIZES, context_size=5),
    "rescaling": lambda: RescalingHead(unembedding=lambda hidden: hidden),
    "shared": lambda: SharedUnembeddingHead(
        unembedding=lambda hidden: hidden, hidden_size=6, context_size=5, rank=2
    ),
    "rescaled": lambda: RescaledSigmoidHead(**SIZES),
    "nli": lambda: NLIHead(input_size=6, hidden_size=5),
    "abstention": lambda: AbstentionHead(hidden_size=6, inner_size=5),
    "embedding": lambda: EmbeddingHead(hidden_size=6, output_size=5),
    "embedding without weights": lambda: EmbeddingHead(hidden_size=6),
    "late interaction": lambda: LateInteractionHead(hidden_size=6, output_size=5),
    "classification": lambda: ClassificationHead(hidden_size=6, num_labels=3),
    "value": lambda: ValueHead(hidden_size=6),
    "language modelling": lambda: SplitLanguageModellingHead(**SPLITS, split_order=ORDER),
    "token embeddings": lambda: SplitTokenEmbeddings(**SPLITS, split_order=ORDER),
    "task heads": task_heads,
}


def on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return build()


def assert_same_state(found: nn.Module, expected: nn.Module) -> None:
    torch.testing.assert_close(found.state_dict(), expected.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("name", HEADS)
def test_a_head_built_without_memory_comes_alive_as_if_built_directly(name: str) -> None:
    torch.manual_seed(1)
    direct = HEADS[name]()
    head = on_meta(HEADS[name])
    assert all(tensor.is_meta for tensor in head.state_dict().values())
    torch.manual_seed(1)
    assert materialise(head, device="cpu") is head
    assert_same_state(head, direct)
    assert [p.requires_grad for p in head.parameters()] == [
        p.requires_grad for p in direct.parameters()
    ]
    if name != "task heads":
        assert isinstance(head, ModuleLateInit)


@pytest.mark.parametrize("name", HEADS)
def test_every_head_can_come_alive_in_half_precision(name: str) -> None:
    head = materialise(on_meta(HEADS[name]), device="cpu", dtype=torch.bfloat16)
    for tensor in head.state_dict().values():
        assert tensor.dtype == torch.bfloat16
        assert tensor.isfinite().all()


class Counted(nn.Module):
    """Keeps the contract for its child too, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(3, 3)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("scale", torch.ones(2), persistent=False)
        self.resets = 0

    def reset_parameters(self) -> None:
        self.resets += 1
        nn.init.ones_(self.inner.weight)
        nn.init.zeros_(self.inner.bias)
        self.steps.zero_()
        self.scale.fill_(1.0)


def test_who_keeps_the_contract_is_asked_once_and_answers_for_its_children() -> None:
    counted = on_meta(Counted)
    # The same module in two places, in containers that keep no contract
    module = nn.ModuleDict({"a": nn.Sequential(counted), "b": counted})
    materialise(module, device="cpu")
    assert counted.resets == 1
    assert (counted.inner.weight == 1.0).all()
    assert counted.steps.dtype == torch.int64
    assert counted.scale.tolist() == [1.0, 1.0]
    # What has memory is left alone
    module["c"] = on_meta(lambda: nn.Linear(2, 2))
    materialise(module, device="cpu", dtype=torch.float64)
    assert counted.resets == 1
    assert counted.inner.weight.dtype == torch.float32
    assert module["c"].weight.dtype == torch.float64


def test_shared_parameters_stay_shared() -> None:
    embeddings = on_meta(HEADS["token embeddings"])
    head = on_meta(HEADS["language modelling"])
    head.tie_to(embeddings)
    embeddings.freeze("base")
    both = nn.ModuleDict({"embeddings": embeddings, "head": head})
    torch.manual_seed(4)
    materialise(both, device="cpu")
    assert all(a is b for a, b in zip(head.weights, embeddings.weights, strict=True))
    assert head.tied
    assert not head.weights[0].requires_grad
    assert head.weights[2].requires_grad
    # Tied weights are the embeddings' to draw
    torch.manual_seed(4)
    assert_same_state(embeddings, HEADS["token embeddings"]())


def test_shared_parameters_of_pytorchs_layers_stay_shared() -> None:
    with torch.device("meta"):
        module = nn.ModuleList([nn.Embedding(5, 3), nn.Linear(3, 5), nn.LSTM(3, 2)])
        module[1].weight = module[0].weight
    materialise(module, device="cpu")
    assert module[1].weight is module[0].weight
    sum(output.sum() for output in module[2](module[0](torch.tensor([1, 2])))[:1]).backward()
    assert module[1].weight.grad is not None
    assert module[2].weight_ih_l0.grad is not None


class Forgetful(nn.Module):
    def __init__(self, forgotten: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(4))
        self.register_buffer("forgotten", forgotten)

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bool], ids=str)
def test_a_tensor_that_is_not_reset_is_named(dtype: torch.dtype) -> None:
    module = nn.Sequential(on_meta(lambda: Forgetful(torch.zeros(3, dtype=dtype))))
    with pytest.raises(UninitialisedError, match=r"gave no values to 0\.forgotten;"):
        materialise(module, device="cpu")
    # Without elements there is nothing to forget
    materialise(on_meta(lambda: Forgetful(torch.zeros(0, dtype=dtype))), device="cpu")


def test_a_tensor_that_is_reset_in_parts_is_named() -> None:
    class Half(Forgetful):
        def reset_parameters(self) -> None:
            with torch.no_grad():
                self.weight[:2] = 0.0

    with pytest.raises(UninitialisedError, match="gave no values to weight, forgotten;"):
        materialise(on_meta(lambda: Half(torch.zeros(3))), device="cpu")


def test_a_module_without_the_contract_is_refused_before_anything_is_made() -> None:
    module = on_meta(lambda: nn.ModuleDict({"first": nn.Linear(2, 2), "mha": Bare()}))
    with pytest.raises(UninitialisedError, match=r"mha\.0 \(ParameterList\) has 0 on the meta"):
        materialise(module, device="cpu")
    assert module["first"].weight.is_meta


class Bare(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.ParameterList([torch.empty(2)]))


def test_loaded_values_are_not_overwritten() -> None:
    counted = on_meta(Counted)
    counted.inner.weight = nn.Parameter(torch.full((3, 3), 7.0))
    with pytest.raises(UninitialisedError, match=r"b \(Counted\) .* overwrite inner\.weight"):
        materialise(nn.ModuleDict({"b": counted}), device="cpu")
    assert (counted.inner.weight == 7.0).all()


def test_a_head_that_is_materialised_without_its_embeddings_draws_its_own_weights() -> None:
    embeddings = on_meta(HEADS["token embeddings"])
    head = on_meta(HEADS["language modelling"])
    head.tie_to(embeddings)
    torch.manual_seed(4)
    materialise(head, device="cpu")
    assert not head.tied
    torch.manual_seed(4)
    assert_same_state(head, HEADS["language modelling"]())
