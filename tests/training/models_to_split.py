"""Tiny causal language models of many architectures, the same every time."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    BloomConfig,
    BloomForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    PhiConfig,
    PhiForCausalLM,
    PreTrainedModel,
)

V, H = 50, 16
NEW = {"new": 3, "more": 2}
SIZES: dict[str, Any] = {
    "vocab_size": V,
    "hidden_size": H,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "bos_token_id": None,
    "eos_token_id": None,
}
GPT: dict[str, Any] = {"n_embd": H, "n_layer": 1, "n_head": 2, "vocab_size": V, "n_positions": 64}
GPT |= {"bos_token_id": None, "eos_token_id": None}
# A product with few columns is summed in another order than one with many
ROUNDING = {"rtol": 1e-5, "atol": 1e-6}


def llama(**changes: Any) -> LlamaForCausalLM:
    return LlamaForCausalLM(LlamaConfig(**(SIZES | changes)))


def opt() -> OPTForCausalLM:
    sizes = {"hidden_size": H, "ffn_dim": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    sizes |= {"vocab_size": V, "word_embed_proj_dim": H, "eos_token_id": None}
    return OPTForCausalLM(OPTConfig(**sizes))


MODELS: dict[str, Callable[[], PreTrainedModel]] = {
    "llama": lambda: llama(pad_token_id=3),
    "llama tied": lambda: llama(tie_word_embeddings=True),
    "gpt-2": lambda: GPT2LMHeadModel(GPT2Config(**GPT)),
    "opt": opt,
    "bloom": lambda: BloomForCausalLM(BloomConfig(**(GPT | {"hidden_size": H}))),
    "gemma 2, soft-cap": lambda: Gemma2ForCausalLM(Gemma2Config(**SIZES, head_dim=8)),
    "gemma 3, scaled": lambda: Gemma3ForCausalLM(Gemma3TextConfig(**SIZES, head_dim=8)),
    "phi, bias": lambda: PhiForCausalLM(PhiConfig(**SIZES)),
    "mixtral": lambda: MixtralForCausalLM(MixtralConfig(**SIZES, num_local_experts=2)),
}


def made(name: str) -> PreTrainedModel:
    """One of ``MODELS``, in evaluation mode; biases, where there are any, are not zero."""
    torch.manual_seed(0)
    model = MODELS[name]().eval()
    if isinstance(model, PhiForCausalLM):
        nn.init.normal_(model.lm_head.bias)
    return model


def ids(limit: int = V) -> Tensor:
    return torch.randint(4, limit, (2, 7), generator=torch.Generator().manual_seed(1))
