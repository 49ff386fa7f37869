"""The loss without logits, counted at the allocator."""

import copy

import torch
from random_language_models import random_model
from torch import Tensor
from transformers import PreTrainedModel

from headwise.language_modelling.fused_loss.fused_lm_loss import patch_lm_loss
from peak_memory import peak_bytes


def step(model: PreTrainedModel, inputs: dict[str, Tensor]) -> None:
    model(**inputs, use_cache=False).loss.backward()


def test_no_logits_are_built() -> None:
    vocabulary, length = 20_000, 128
    model = random_model(vocab_size=vocabulary, num_hidden_layers=1, max_position_embeddings=length)
    ids = torch.randint(3, vocabulary, (4, length))
    inputs = {"input_ids": ids, "labels": ids}
    patched = patch_lm_loss(copy.deepcopy(model), workspace_bytes=2**21)
    logits = ids.numel() * vocabulary * 4
    gradients = sum(parameter.numel() for parameter in model.parameters()) * 4

    own, _ = peak_bytes(lambda: step(model, inputs))
    ours, _ = peak_bytes(lambda: step(patched, inputs))
    assert own - gradients > logits
    assert ours - gradients < logits / 4
