"""Patched and split models, written as Python objects, copied, and wrapped by Accelerate."""

import copy
import inspect
import io
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from random_language_models import batch, random_model
from transformers import AutoModelForCausalLM, PreTrainedModel

from headwise.errors import TrainingError
from headwise.language_modelling.fused_loss.fused_lm_loss import (
    is_patched,
    patch_lm_loss,
    unpatch_lm_loss,
)
from headwise.language_modelling.split_vocabulary.split_vocabulary import (
    merge_unembedding,
    split_unembedding,
)


def pickled(model: PreTrainedModel) -> PreTrainedModel:
    return pickle.loads(pickle.dumps(model))


def saved(model: PreTrainedModel) -> PreTrainedModel:
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("again", [pickled, saved, copy.deepcopy])
def test_a_model_that_comes_back_is_patched_and_split(
    again: Callable[[PreTrainedModel], PreTrainedModel], tmp_path: Path
) -> None:
    model = random_model("llama-tied")
    split_unembedding(model, new_tokens=3)
    patch_lm_loss(model, z_loss=0.1)
    twin = again(model)
    output = twin(**batch())
    assert output.logits is None
    assert torch.equal(output.loss, model(**batch()).loss)
    assert inspect.signature(twin.forward) == inspect.signature(model.forward)
    for method in (twin.forward, twin.save_pretrained, twin.resize_token_embeddings):
        assert method.__self__ is twin
    with torch.no_grad():
        model.lm_head.lm_head["base"].weight.zero_()
    assert torch.equal(twin(**batch()).loss, output.loss)
    compiled = torch.compile(twin, backend="eager")
    torch.testing.assert_close(compiled(**batch()).loss, output.loss)

    unpatch_lm_loss(twin).eval()
    logits = twin(**batch()).logits
    twin.save_pretrained(tmp_path)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path)
    torch.testing.assert_close(plain(**batch()).logits, logits)
    merge_unembedding(twin)
    torch.testing.assert_close(twin(**batch()).logits, logits)


def test_accelerates_wrapper_comes_off_as_the_error_says() -> None:
    model = patch_lm_loss(random_model())
    signature = inspect.signature(model.forward)
    accelerator = Accelerator(mixed_precision="bf16", cpu=True)
    prepared = accelerator.prepare(model)
    assert prepared(**batch()).logits is None
    assert inspect.signature(prepared.forward) == signature
    with pytest.raises(TrainingError, match=r"unwrap_model\(model, keep_fp32_wrapper=False"):
        unpatch_lm_loss(prepared)
    unwrapped = accelerator.unwrap_model(prepared, keep_fp32_wrapper=False)
    assert is_patched(unwrapped)
    assert unwrapped(**batch()).logits is None
    assert unpatch_lm_loss(unwrapped)(**batch()).logits is not None
