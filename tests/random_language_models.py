"""Small random language models of many architectures, and a batch for them."""

from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import PreTrainedModel

VOCABULARY, HIDDEN = 61, 16

Sizes = dict[str, Any]
SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
SIZES: Sizes = SPECIAL | {
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "max_position_embeddings": 64,
}
SLIDING = {"sliding_window": 4, "layer_types": ["sliding_attention", "full_attention"]}
BALANCED = {"output_router_logits": True, "router_aux_loss_coef": 0.7}
BART: Sizes = SPECIAL | {
    "vocab_size": VOCABULARY,
    "d_model": HIDDEN,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 64,
    "decoder_start_token_id": 2,
    "forced_eos_token_id": None,
}
WHISPER = {"num_mel_bins": 4, "max_source_positions": 6, "max_target_positions": 32}
T5: Sizes = {
    "vocab_size": VOCABULARY,
    "d_model": HIDDEN,
    "d_kv": 8,
    "d_ff": 32,
    "num_layers": 2,
    "num_heads": 2,
    "decoder_start_token_id": 0,
}
T5_UNTIED = T5 | {"tie_word_embeddings": False, "feed_forward_proj": "gated-gelu"}

# name: model class, what differs from the usual sizes (of encoder-decoders: all sizes)
MODELS: dict[str, tuple[str, Sizes]] = {
    "llama": ("LlamaForCausalLM", {}),
    "llama-tied": ("LlamaForCausalLM", {"tie_word_embeddings": True}),
    "gpt2": ("GPT2LMHeadModel", {"n_positions": 64}),
    "opt": ("OPTForCausalLM", {"ffn_dim": 32, "word_embed_proj_dim": HIDDEN}),
    "bloom": ("BloomForCausalLM", {}),
    "gemma2": ("Gemma2ForCausalLM", {"final_logit_softcapping": 1.5, **SLIDING}),
    "gemma3": ("Gemma3ForCausalLM", {"final_logit_softcapping": 2.0, **SLIDING}),
    "cohere": ("CohereForCausalLM", {"logit_scale": 0.37}),
    "cohere2": ("Cohere2ForCausalLM", {"logit_scale": 0.0625, **SLIDING}),
    "granite": ("GraniteForCausalLM", {"logits_scaling": 0.37}),
    "mistral": ("MistralForCausalLM", {"sliding_window": 4}),
    "olmo2": ("Olmo2ForCausalLM", {}),
    "qwen3": ("Qwen3ForCausalLM", {}),
    "phi": ("PhiForCausalLM", {}),  # the one with a bias
    "phi3": ("Phi3ForCausalLM", {}),
    "mixtral": ("MixtralForCausalLM", {"num_local_experts": 4}),
    "mixtral-balanced": ("MixtralForCausalLM", {"num_local_experts": 4, **BALANCED}),
    "qwen3-moe-balanced": (
        "Qwen3MoeForCausalLM",
        {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 8, **BALANCED},
    ),
    "mamba": ("MambaForCausalLM", {"state_size": 4}),
    "rwkv": ("RwkvForCausalLM", {"attention_hidden_size": HIDDEN}),
    "openai-gpt": ("OpenAIGPTLMHeadModel", {"n_positions": 64}),
    "lfm2": ("Lfm2ForCausalLM", {"layer_types": ["conv", "full_attention"]}),
    "qwen3-next": (
        "Qwen3NextForCausalLM",
        {
            "layer_types": ["linear_attention", "full_attention"],
            "linear_num_value_heads": 2,
            "linear_num_key_heads": 1,
            "linear_key_head_dim": 8,
            "linear_value_head_dim": 8,
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 8,
            "shared_expert_intermediate_size": 8,
        },
    ),
    "recurrent-gemma": (
        "RecurrentGemmaForCausalLM",
        {
            "lru_width": HIDDEN,
            "attention_window_size": 8,
            "num_hidden_layers": 3,
            "logits_soft_cap": 1.5,
        },
    ),
    "phi3-long": (
        "Phi3ForCausalLM",
        {
            "original_max_position_embeddings": 20,
            "rope_parameters": {
                "rope_type": "longrope",
                "rope_theta": 10000.0,
                "short_factor": [1.0] * 4,
                "long_factor": [4.0, 5.0, 6.0, 7.0],
                "original_max_position_embeddings": 20,
            },
        },
    ),
    "llama-dynamic": (
        "LlamaForCausalLM",
        {
            "max_position_embeddings": 20,
            "rope_parameters": {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0},
        },
    ),
    "llama4": ("Llama4ForCausalLM", {"num_local_experts": 2, "intermediate_size_mlp": 32}),
    "bert": ("BertLMHeadModel", {"is_decoder": True}),
    "bart": ("BartForConditionalGeneration", BART),
    "marian": ("MarianMTModel", BART),
    "mbart": ("MBartForConditionalGeneration", BART),
    "m2m100": ("M2M100ForConditionalGeneration", BART),
    "whisper": ("WhisperForConditionalGeneration", BART | WHISPER),
    "t5-tied": ("T5ForConditionalGeneration", T5),
    "t5-untied": ("T5ForConditionalGeneration", T5_UNTIED),
    "switch": (
        "SwitchTransformersForConditionalGeneration",
        T5 | {"num_experts": 2, "num_sparse_encoder_layers": 1, "num_sparse_decoder_layers": 1},
    ),
    "umt5": ("UMT5ForConditionalGeneration", T5),
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
