"""Load a frozen backbone of the right kind."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tokenizers import normalizers
from transformers import AutoModel

from headwise.backbones.causal import CausalBackbone
from headwise.backbones.encoder_decoder import EncoderDecoderBackbone
from headwise.backbones.encoders.encoder import EncoderBackbone
from headwise.backbones.gguf_names import gguf_name
from headwise.backbones.loading.devices import chosen_device, chosen_dtype
from headwise.backbones.loading.gguf_models import language_model_class
from headwise.backbones.loading.model_files import find_file
from headwise.backbones.loading.places import find_place, naming_ways
from headwise.backbones.loading.pretrained import load_pretrained, named_errors
from headwise.backbones.loading.sentence_folder import read_sentence_settings
from headwise.backbones.prompts.named import NAMED_PROMPTS
from headwise.backbones.prompts.templates import PromptTemplate

Backbone = CausalBackbone | EncoderDecoderBackbone
"""A frozen language model of either kind: decoder alone, or encoder and decoder."""


def load_backbone(
    name: str | Path,
    *,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    device_map: str | dict[str, Any] | None = None,
    trust_remote_code: bool = False,
    gguf_file: str | None = None,
    check_depth: Callable[[int], None] | None = None,
) -> Backbone:
    """Load a causal or encoder-decoder language model and its tokeniser, and freeze it.

    Args:
        name: A folder or a hub id, of a model or of an adapter (LoRA and its kin), which is merged
            into its model; a GGUF file or a folder with one; or ``gemma-3-270m``. Weights of GGUF
            files are unpacked once and kept in the cache (``HEADWISE_CACHE``).
        dtype: The model's floating point type, or ``"auto"`` for that of its file. By default
            float32 on a CPU, ``"auto"`` elsewhere.
        device: Where the model goes; the machine's accelerator by default. Not with
            ``device_map``.
        device_map: How Transformers spreads the model over devices (``"auto"`` needs accelerate).
        trust_remote_code: Whether code that comes with the model may run. Off by default.
        gguf_file: The GGUF file in a folder or on the hub that holds the model.
        check_depth: Called with the number of layers before weights are read, if the config says
            it; what it raises ends the loading.

    Raises:
        UnknownModelError: If there is no such model, or several GGUF files and none is named.
        UnsupportedModelError: If it is no language model that reads from left to right, or needs
            code or a package that is not there.
        WeightsError: If its weights are damaged, do not fill the model, are not finite, lie outside
            of it, or are only there as pickles.
        OutputError: If weights of a GGUF file cannot be kept in the cache.
    """
    name = gguf_name(name, gguf_file)
    if device is not None and device_map is not None:
        raise ValueError("Give `device` or `device_map`, not both.")
    target = chosen_device(device)
    dtype = chosen_dtype(dtype, on_cpu=target.type == "cpu" and device_map is None)
    model, tokenizer, gguf = load_pretrained(
        name,
        language_model_class,
        dtype=dtype,
        device_map=device_map,
        trust_remote_code=trust_remote_code,
        before=None if check_depth is None else partial(_tell_depth, check_depth),
    )
    if device_map is None:
        model = model.to(target)
    backbone: Backbone
    if model.config.is_encoder_decoder:
        backbone = EncoderDecoderBackbone(model, tokenizer)
    else:
        backbone = CausalBackbone(model, tokenizer)
    backbone.gguf = gguf
    return backbone


def load_encoder(
    name: str | Path,
    *,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    trust_remote_code: bool = False,
    max_length: int | None = None,
    gguf_file: str | None = None,
) -> EncoderBackbone:
    """Load an encoder and its tokeniser, and freeze it.

    Of a sentence-transformers model, prompts, pooling, normalisation, truncation and similarity are
    those of its folder, and texts that it would cut are too long to embed, unless there is a
    ``max_length``; of any other, embeddings are the mean of the token vectors, of unit length.

    Arguments are those of :func:`load_backbone`, and ``max_length`` of `EncoderBackbone`; the name
    may be that of a Transformers or of a sentence-transformers model.

    Raises:
        UnknownModelError: If there is no such model.
        UnsupportedModelError: If it reads no text, or makes its embeddings in an unknown way, or
            needs code or a package that is not there.
        WeightsError: As for :func:`load_backbone`.
    """
    name = gguf_name(name, gguf_file)
    target = chosen_device(device)
    dtype = chosen_dtype(dtype, on_cpu=target.type == "cpu")

    def read(path: str) -> str | None:
        found = find_file(place.files, path)
        return None if found is None else found.read_text(encoding="utf-8")

    with naming_ways(name), named_errors(name):
        place = find_place(name)
        settings = read_sentence_settings(read, name=str(name))
    model, tokenizer, gguf = load_pretrained(
        name,
        lambda _: AutoModel,
        dtype=dtype,
        subfolder="" if settings is None else settings.subfolder,
        trust_remote_code=trust_remote_code,
        used=lambda parts: EncoderBackbone(parts.model, parts.tokenizer),
    )
    options: dict[str, Any] = {}
    if settings is not None:
        embedding = settings.embedding
        if max_length is not None:  # who names a limit knows better
            embedding = replace(embedding, longest=None)
        options = {"embedding": embedding}
        if settings.lower_case:
            own = tokenizer.backend_tokenizer.normalizer
            # First, as sentence-transformers does it before its tokeniser reads the text
            steps = [normalizers.Lowercase(), *([] if own is None else [own])]
            tokenizer.backend_tokenizer.normalizer = normalizers.Sequence(steps)
    encoder = EncoderBackbone(model.to(target), tokenizer, max_length=max_length, **options)
    encoder.gguf = gguf
    _ = encoder.padding_matters  # asked for now, to be said or refused before there is work
    return encoder


def _tell_depth(check: Callable[[int], None], config: Any) -> None:
    # Configs of encoder-decoders name both depths in ways of their own
    depth = getattr(config.get_text_config(decoder=True), "num_hidden_layers", None)
    if isinstance(depth, int) and not config.is_encoder_decoder:
        check(depth)


def default_prompt(backbone: Backbone) -> PromptTemplate:
    """The prompt for a backbone whose head names none.

    Args:
        backbone: The language model.
    """
    if isinstance(backbone, EncoderDecoderBackbone):
        return NAMED_PROMPTS["sequence"]
    if "TowerInstruct" in str(backbone.model.config.name_or_path):
        return NAMED_PROMPTS["tower"]
    return NAMED_PROMPTS["chat" if backbone.tokenizer.chat_template else "raw"]
