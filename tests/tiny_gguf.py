"""Tiny GGUF files, written with the package gguf as llama.cpp's converter names things."""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from tiny_models import CHATML, byte_level, tiny_llama
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, PreTrainedModel

# As in every file: 3 is a control token, 1 a plain one
_CONTROL, _PLAIN = 3, 1


def tiny_model(architecture: str) -> PreTrainedModel:
    """A random model whose rows suit blocks of 32 numbers."""
    tokenizer = byte_level()
    if architecture == "llama":
        return tiny_llama(tokenizer, hidden_size=64, head_dim=16)
    config = Gemma3TextConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=7,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        sliding_window=16,
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return Gemma3ForCausalLM(config).eval()


def write_gguf(
    path: Path,
    architecture: str = "llama",
    *,
    stated: str | None = None,
    packing: GGMLQuantizationType = GGMLQuantizationType.F32,
    more: dict[str, int] | None = None,
    entries: dict[str, Any] | None = None,
) -> PreTrainedModel:
    """Write a tiny model, and return it.

    Args:
        path: The file.
        architecture: ``llama`` or ``gemma3``.
        stated: The architecture that the file states, if it is another one.
        packing: Of the matrices.
        more: Names and sizes of tensors that no model has.
        entries: More metadata, strings and numbers.
    """
    model, tokenizer = tiny_model(architecture), byte_level()
    config = model.config
    writer = GGUFWriter(path, stated or architecture)
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    given = dict(entries or {})
    writer.add_block_count(given.pop(f"{architecture}.block_count", config.num_hidden_layers))
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_key_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(1e6 if architecture == "gemma3" else 1e4)
    if architecture == "gemma3":
        writer.add_sliding_window(config.sliding_window)
    _add_tokenizer(writer, tokenizer)
    for key, value in given.items():
        add = writer.add_string if isinstance(value, str) else writer.add_uint32
        add(key, value)
    _add_tensors(writer, model, architecture, packing)
    for tensor, size in (more or {}).items():
        writer.add_tensor(tensor, np.ones(size, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model


def _add_tokenizer(writer: GGUFWriter, tokenizer: Any) -> None:
    tokens = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    control = set(tokenizer.added_tokens_decoder)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([_CONTROL if i in control else _PLAIN for i in range(len(tokens))])
    state = tokenizer.backend_tokenizer.model.__getstate__()
    writer.add_token_merges([" ".join(pair) for pair in json.loads(state)["merges"]])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_unk_token_id(tokenizer.unk_token_id)
    writer.add_chat_template(CHATML)


def _add_tensors(
    writer: GGUFWriter,
    model: PreTrainedModel,
    architecture: str,
    packing: GGMLQuantizationType,
) -> None:
    kind = next(k for k, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    names = gguf.get_tensor_name_map(kind, model.config.num_hidden_layers)
    heads = {"q_proj": model.config.num_attention_heads, "k_proj": model.config.num_key_value_heads}
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and model.config.tie_word_embeddings:
            continue
        base, _, suffix = name.rpartition(".")
        found = names.get_name(base)
        assert found is not None, name
        values = tensor.numpy()
        if architecture == "gemma3" and "norm" in name:
            values = values + 1
        if architecture == "llama" and (count := heads.get(base.rpartition(".")[2])):
            halves = values.reshape(count, 2, -1, values.shape[1])
            values = np.ascontiguousarray(halves.swapaxes(1, 2).reshape(values.shape))
        packed = packing if values.ndim == 2 else GGMLQuantizationType.F32
        writer.add_tensor(
            f"{found}.{suffix}", gguf.quants.quantize(values, packed), raw_dtype=packed
        )
