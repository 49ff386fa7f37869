"""Digests of what is loaded: weights, configuration and tokeniser, from whatever files they came.

They are taken of the parts in memory, so that folders, hub snapshots, GGUF files, adapters and
objects made in Python are all known by what they compute with, wherever they run.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

# What a model's configuration says of where it came from, not of what it computes
_INCIDENTAL = frozenset(
    {"_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version", "use_cache"}
)
# Parts of a fast tokeniser that hold what the last call asked for
_OF_CALLS = ("truncation", "padding", "post_processor")
_DIGITS = 32
# Enough to be as quick as memory; each holds one tensor
_MOST_THREADS = 8


def weights_digest(module: nn.Module) -> str:
    """Digest of a module's class, and of name, type, shape and all values of its tensors.

    It takes about a second for 1.5 GB. The device does not matter.

    Args:
        module: A model, or a part of one.
    """
    tensors = module.state_dict()
    # Tied weights are one tensor under several names
    distinct = {_storage(tensor): (name, tensor) for name, tensor in tensors.items()}
    away = any(tensor.is_meta for tensor in tensors.values())  # fetched module by module
    threads = 1 if away else min(_MOST_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(lambda item: _tensor_digest(module, *item), distinct.values())
        digests = dict(zip(distinct, found, strict=True))
    whole = hashlib.sha256(type(module).__name__.encode())
    for name, tensor in sorted(tensors.items()):
        whole.update(f" {name} {tuple(tensor.shape)} {tensor.dtype} ".encode())
        whole.update(digests[_storage(tensor)])
    return whole.hexdigest()[:_DIGITS]


def _storage(tensor: Tensor) -> tuple[object, ...]:
    if tensor.is_meta:
        return (id(tensor),)
    return tensor.device, tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride()


def _tensor_digest(module: nn.Module, name: str, tensor: Tensor) -> bytes:
    if tensor.is_meta:  # kept on the CPU or on disk until its module runs
        from accelerate.utils import align_module_device  # type: ignore[import-untyped]

        owner, _, own_name = name.rpartition(".")
        holder = module.get_submodule(owner)
        with align_module_device(holder, torch.device("cpu")):
            tensor = getattr(holder, own_name).detach()
            return _values_digest(tensor)
    return _values_digest(tensor)


def _values_digest(tensor: Tensor) -> bytes:
    flat = tensor.cpu().contiguous().reshape(-1).view(torch.uint8)
    return hashlib.sha256(flat.numpy().data).digest()


def model_digests(model: PreTrainedModel) -> dict[str, str]:
    """What a model computes with: digests of its weights and of its configuration, by name."""
    return {
        "model weights": weights_digest(model),
        "model configuration": configuration_digest(model),
    }


def configuration_digest(model: PreTrainedModel) -> str:
    """Digest of what a model computes with its weights: class, settings, and code of its own."""
    code = b""
    module = sys.modules.get(type(model).__module__)
    file = getattr(module, "__file__", None)
    if not type(model).__module__.startswith("transformers.") and file is not None:
        code = Path(file).read_bytes()  # came with the model
    adapters = getattr(model, "peft_config", None) or {}
    told = {
        "class": type(model).__name__,
        "settings": _essential(model.config.to_dict()),
        "adapters": {name: vars(adapter) for name, adapter in adapters.items()},
    }
    return hashlib.sha256(_json_bytes(told) + code).hexdigest()[:_DIGITS]


def _essential(value: Any) -> Any:
    """Settings without the incidental ones, also of the models inside of a model."""
    if isinstance(value, dict):
        return {key: _essential(v) for key, v in value.items() if key not in _INCIDENTAL}
    return value


def tokenizer_digest(tokenizer: PreTrainedTokenizerBase) -> str:
    """Digest of how texts become tokens: pieces, merges, control tokens, chat template."""
    pieces: object
    if not tokenizer.is_fast:
        pieces = [sorted(tokenizer.get_vocab().items()), str(tokenizer.init_kwargs)]
    else:
        stored = tokenizer.backend_tokenizer.to_str()
        # Before these stand truncation and padding, as the last call asked for them
        pieces = stored[stored.index('"added_tokens"') :]
        if hasattr(
            tokenizer, "src_lang"
        ):  # its post-processor holds the last language that was set
            pieces = {**json.loads(stored), **dict.fromkeys(_OF_CALLS)}
    control = {name: str(token) for name, token in tokenizer.special_tokens_map.items()}
    languages = [tokenizer.init_kwargs.get(name) for name in ("src_lang", "tgt_lang")]
    known = [pieces, control, tokenizer.chat_template, languages]
    return hashlib.sha256(_json_bytes(known)).hexdigest()[:_DIGITS]


def _json_bytes(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=_plain)
    return text.encode("utf-8", "surrogatepass")


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    # The order of a set is another one in every process
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)
