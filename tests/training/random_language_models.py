"""Small random language models of many architectures, and a batch for them."""

from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import PreTrainedModel

VOCABULARY = 61
SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 8}
BART: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
    "forced_eos_token_id": None,
}
GPT2 = {"n_embd": 16, "n_head": 2, "n_layer": 2, "n_positions": 64}

# name: model class, what differs from the usual sizes
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("LlamaForCausalLM", {}),
    "llama-tied": ("LlamaForCausalLM", {"tie_word_embeddings": True}),
    "gpt2": ("GPT2LMHeadModel", GPT2),
    "gemma2": ("Gemma2ForCausalLM", {"final_logit_softcapping": 1.5}),
    "cohere": ("CohereForCausalLM", {"logit_scale": 0.37}),
    "granite": ("GraniteForCausalLM", {"logits_scaling": 0.37}),
    "qwen3": ("Qwen3ForCausalLM", {}),
    "phi": ("PhiForCausalLM", {}),  # the one with a bias
    "mixtral": ("MixtralForCausalLM", {"num_local_experts": 4}),
    "mixtral-balanced": (
        "MixtralForCausalLM",
        {"num_local_experts": 4, "output_router_logits": True, "router_aux_loss_coef": 0.7},
    ),
    "qwen3-moe-balanced": (
        "Qwen3MoeForCausalLM",
        EXPERTS | {"output_router_logits": True, "router_aux_loss_coef": 0.7},
    ),
    "mamba": ("MambaForCausalLM", {"state_size": 4}),
    "llama4": ("Llama4ForCausalLM", {"num_local_experts": 2, "intermediate_size_mlp": 32}),
    "bart": ("BartForConditionalGeneration", BART),
    "marian": ("MarianMTModel", BART),
}


def random_model(name: str = "llama", **changes: Any) -> PreTrainedModel:
    """A model in training mode whose every parameter differs from its default."""
    architecture, differences = MODELS[name]
    kind = getattr(transformers, architecture)
    torch.manual_seed(0)
    sizes = differences if "d_model" in differences else SIZES | differences
    model: PreTrainedModel = kind(kind.config_class(**sizes | changes))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
        if (bias := getattr(model, "final_logits_bias", None)) is not None:
            bias.copy_(torch.randn_like(bias))
    return model.train()


def batch(rows: int = 3, length: int = 11) -> dict[str, Tensor]:
    """Right-padded rows; some labels are ignored."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(3, VOCABULARY, (rows, length), generator=generator)
    mask = torch.ones_like(ids)
    mask[-1, length // 2 :] = 0
    labels = ids.masked_fill(mask == 0, -100)
    labels[0, :3] = -100
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}
