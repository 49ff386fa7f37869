"""The loss without logits, against the model's own forward."""

import copy
import inspect
from typing import Any

import pytest
import torch
from adapted_layer import Adapted, Wrapped
from random_language_models import VOCABULARY, batch, random_model
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import LlamaForCausalLM, PreTrainedModel

from headwise.errors import UnsupportedModelError
from headwise.language_modelling.fused_loss.fused_lm_loss import (
    is_patched,
    patch_lm_loss,
    unpatch_lm_loss,
)
from headwise.language_modelling.split_vocabulary.split_vocabulary import split_unembedding

ARCHITECTURES = (
    *("llama", "llama-tied", "gpt2", "gemma2", "cohere", "granite", "qwen3", "phi"),
    *("mixtral", "mixtral-balanced", "qwen3-moe-balanced", "mamba", "llama4", "bart", "marian"),
)


def step(model: nn.Module, **call: Any) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss and gradients of one call; dropout draws the same on every call."""
    torch.manual_seed(7)
    model.zero_grad()
    loss = model(**call).loss
    loss.backward()
    gradients = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    return loss.detach(), gradients


def both(model: PreTrainedModel, patched: nn.Module, **call: Any) -> None:
    """Loss and all gradients are the same."""
    loss, gradients = step(model, **call)
    ours, our_gradients = step(patched, **call)
    assert ours.dtype == loss.dtype
    torch.testing.assert_close(ours, loss, rtol=1e-6, atol=1e-6)
    our_gradients = {
        name.removeprefix("module.").removeprefix("_orig_mod."): value
        for name, value in our_gradients.items()
    }
    assert our_gradients.keys() == gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(our_gradients[name], gradient, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_loss_and_gradients_are_the_models_own(name: str) -> None:
    model = random_model(name)
    patched = patch_lm_loss(copy.deepcopy(model))
    both(model, patched, **batch())
    output = patched(**batch())
    assert output.logits is None
    assert type(output) is type(model(**batch()))


@pytest.mark.parametrize("name", ["llama", "llama-tied", "gemma2", "phi"])
def test_split_vocabularies(name: str) -> None:
    model = random_model(name)
    vocabulary = split_unembedding(model, new_tokens={"new": 4})
    vocabulary.freeze_base()
    patched = patch_lm_loss(copy.deepcopy(model))
    inputs = batch()
    inputs["input_ids"][:, ::3] = VOCABULARY + 2
    inputs["labels"][:, ::3] = VOCABULARY + 2
    both(model, patched, **inputs)
    assert patched(**inputs).logits is None
    layers = patched.lm_head.lm_head
    for odd in (Adapted(layers["new"]), Wrapped(16, 4, bias=name == "phi")):
        layers["new"] = odd
        with pytest.raises(UnsupportedModelError, match=f"{type(odd).__name__}.*target_modules"):
            patched(**inputs)


def test_nothing_is_left_behind_by_the_check() -> None:
    model = random_model("gpt2")
    model.transformer.h[0].eval()
    model(**batch()).loss.backward()
    modes = [module.training for module in model.modules()]
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    state = torch.get_rng_state()
    assert patch_lm_loss(model) is model
    assert torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in model.modules()] == modes
    for before, parameter in zip(gradients, model.parameters(), strict=True):
        assert torch.equal(parameter.grad, before)


CALLS: dict[str, dict[str, Any]] = {
    "count": {"num_items_in_batch": 17},
    "count as a tensor": {"num_items_in_batch": torch.tensor(17.0)},
    "another ignored label": {"ignore_index": 5},
    "labels shifted already": {"shift_labels": F.pad(batch()["labels"][:, 1:], (0, 1), value=-100)},
    "positions": {"position_ids": torch.arange(11).expand(3, -1) + 1},
    "no cache": {"use_cache": False},
}


@pytest.mark.parametrize("name", CALLS)
def test_arguments_of_the_loss(name: str) -> None:
    model = random_model()
    inputs = batch()
    if "ignore_index" in CALLS[name]:
        inputs["labels"] = inputs["labels"].masked_fill(inputs["labels"] == -100, 5)
    both(model, patch_lm_loss(copy.deepcopy(model)), **inputs, **CALLS[name])


def test_other_outputs_are_kept() -> None:
    model = random_model("mixtral-balanced").eval()
    patched = patch_lm_loss(copy.deepcopy(model))
    asked = {"output_hidden_states": True, "use_cache": True}
    expected, output = model(**batch(), **asked), patched(**batch(), **asked)
    assert output.keys() == expected.keys() - {"logits"}
    torch.testing.assert_close(output.hidden_states, expected.hidden_states)
    torch.testing.assert_close(output.aux_loss, expected.aux_loss)
    assert output.past_key_values.get_seq_length() == 11
    unbalanced = {"output_router_logits": False}
    torch.testing.assert_close(
        patched(**batch(), **unbalanced).loss, model(**batch(), **unbalanced).loss
    )
    as_tuple = patched(**batch(), return_dict=False)
    assert isinstance(as_tuple, tuple)
    torch.testing.assert_close(as_tuple[0], expected.loss)


def test_positional_arguments() -> None:
    model = random_model()
    patched = patch_lm_loss(copy.deepcopy(model))
    inputs = batch()
    call = (inputs["input_ids"], inputs["attention_mask"], None, None, None, inputs["labels"])
    torch.testing.assert_close(patched(*call).loss, model(*call).loss)
    assert patched(*call).logits is None
    ids = inputs["input_ids"]
    with pytest.raises(TypeError, match="multiple values for argument 'input_ids'"):
        patched(ids, input_ids=ids, labels=ids)
    with pytest.raises(TypeError, match="too many positional"):
        patched(*[ids] * 20)


class Passing(LlamaForCausalLM):
    """As a subclass that adds a word to every call."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return super().forward(*args, **kwargs)


def test_arguments_without_names_run_the_models_own_forward() -> None:
    model = Passing(random_model().config)
    patched = patch_lm_loss(copy.deepcopy(model))
    both(model, patched, **batch())
    ids = batch()["input_ids"]
    assert torch.equal(patched(ids, labels=ids).logits, model(ids, labels=ids).logits)


def test_calls_that_need_logits_run_the_models_own_forward() -> None:
    model = random_model().eval()
    patched = patch_lm_loss(copy.deepcopy(model))
    inputs = batch()
    ids = inputs["input_ids"][:2]
    assert torch.equal(patched(ids).logits, model(ids).logits)
    assert patched(ids, labels=ids, logits_to_keep=12).logits.shape == (2, 11, VOCABULARY)
    assert torch.equal(
        patched.generate(ids, max_new_tokens=4, do_sample=False),
        model.generate(ids, max_new_tokens=4, do_sample=False),
    )
    keeping = patch_lm_loss(copy.deepcopy(model), keep_eval_logits=True)
    assert torch.equal(keeping(**inputs).logits, model(**inputs).logits)
    assert keeping.train()(**inputs).logits is None


def test_all_labels_ignored_is_a_loss_of_zero() -> None:
    patched = patch_lm_loss(random_model())
    inputs = batch()
    loss, gradients = step(patched, **inputs | {"labels": torch.full_like(inputs["labels"], -100)})
    assert loss == 0.0
    assert all(bool(gradient.eq(0.0).all()) for gradient in gradients.values())


def test_z_loss_is_added_in_training_only() -> None:
    model = random_model()
    patched = patch_lm_loss(copy.deepcopy(model), z_loss=0.1)
    inputs = batch()
    counted = inputs["labels"][:, 1:].ne(-100)
    z = model(**inputs).logits[:, :-1][counted].logsumexp(-1).square().mean()
    torch.testing.assert_close(patched(**inputs).loss, model(**inputs).loss + 0.1 * z)
    torch.testing.assert_close(patched.eval()(**inputs).loss, model.eval()(**inputs).loss)


def test_copies_are_patched_for_themselves_and_unpatching_restores() -> None:
    model = random_model()
    signature = inspect.signature(model.forward)
    patched = patch_lm_loss(copy.deepcopy(model))
    assert inspect.signature(patched.forward) == signature
    copied = copy.deepcopy(patched)
    with torch.no_grad():
        copied.lm_head.weight.zero_()
    both(model, patched, **batch())
    torch.testing.assert_close(copied(**batch()).loss.item(), torch.tensor(VOCABULARY).log().item())
    assert unpatch_lm_loss(patched) is patched
    assert not is_patched(patched)
    assert is_patched(copied)
    assert torch.equal(patched(**batch()).logits, model(**batch()).logits)


def test_bfloat16_and_autocast() -> None:
    model = random_model().to(torch.bfloat16)
    patched = patch_lm_loss(copy.deepcopy(model))
    torch.testing.assert_close(patched(**batch()).loss, model(**batch()).loss, rtol=1e-2, atol=0.0)
    model, patched = model.float(), patched.float()
    with torch.autocast("cpu", torch.bfloat16):
        loss, gradients = step(model, **batch())
        ours, our_gradients = step(patched, **batch())
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, loss, rtol=1e-2, atol=0.0)
    for name, gradient in gradients.items():
        difference = (our_gradients[name] - gradient).norm() / gradient.norm()
        assert difference < 0.05, name


def test_gradient_checkpointing() -> None:
    model = random_model("gpt2")
    patched = patch_lm_loss(copy.deepcopy(model))
    patched.gradient_checkpointing_enable()
    both(model, patched, **batch())


def test_compiled() -> None:
    model = random_model("gemma2", num_hidden_layers=1, layer_types=["full_attention"])
    patched = patch_lm_loss(copy.deepcopy(model))
    both(model, torch.compile(patched, backend="eager"), **batch())


def test_adapters_inside_and_on_the_output_layer() -> None:
    model = random_model().requires_grad_(False)
    patch_lm_loss(model)
    attention = model.model.layers[0].self_attn
    attention.q_proj = Adapted(attention.q_proj)
    own = unpatch_lm_loss(copy.deepcopy(model))
    both(own, model, **batch())
    model.lm_head = Adapted(model.lm_head)
    with pytest.raises(UnsupportedModelError, match=r"Adapted.*target_modules"):
        model(**batch())
    assert model(batch()["input_ids"]).logits is not None
