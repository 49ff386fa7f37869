"""Generate text and keep, from the same pass, what scoring it needs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig

from headwise.backbones import EncodedPair, LanguageBackbone
from headwise.backbones.layers import watched
from headwise.choices import LAST_LAYER, ONLY_LAST

DEFAULT_MAX_NEW_TOKENS = 256
# Of these, several passes make a token, or code that is on a hub
_NOT_ONE_PASS_A_TOKEN = (
    "assistant_early_exit",
    "assistant_model",
    "constraints",
    "custom_generate",
    "dola_layers",
    "force_words_ids",
    "guidance_scale",
    "num_beam_groups",
    "penalty_alpha",
    "prefill_chunk_size",
    "prompt_lookup_num_tokens",
    "use_mtp",
)
# What switches such an option off
_OFF = (None, False, 0, 1)


@dataclass(frozen=True, slots=True)
class GeneratedTokens:
    """T generated token ids, closing special ones included, and what each was chosen from.

    ``hidden`` of the layers asked for is ``(T, H)``, in the model's dtype.
    """

    token_ids: list[int]
    hidden: Tensor


@contextmanager
def captured_hidden(
    backbone: LanguageBackbone, layers: Sequence[int] = ONLY_LAST
) -> Iterator[list[Tensor]]:
    """Collect hidden states of layers: the yielded list grows by one ``(B, H)`` a step.

    Transformers' own ``output_hidden_states`` would keep all layers of all steps. Only passes that
    the block itself makes are seen, not those of other threads that share the model.
    """
    steps: list[Tensor] = []
    newest: dict[int, Tensor] = {}

    def keep(number: int, hidden: Tensor) -> None:
        # A copy: a view would keep the hidden states of the whole prompt alive
        newest[number] = hidden[:, -1].clone()
        if number == LAST_LAYER:  # the end of a step
            steps.append(torch.cat([newest[n].to(hidden.device) for n in layers], dim=-1))

    with watched(backbone.layer_modules({*layers, LAST_LAYER}), keep):
        yield steps


def generation_options(
    backbone: LanguageBackbone, inputs: dict[str, Any], options: dict[str, Any]
) -> dict[str, Any]:
    """Complete the user's options for ``model.generate`` and refuse what cannot be scored.

    What neither the options nor a ``generation_config`` among them say is as the model's own
    ``generation_config`` has it; where that is silent too, at most 256 tokens are written greedily.

    Raises:
        ValueError: If an option or config asks for several sequences or for several passes a token.
    """
    # We read the output in one form
    options = {name: v for name, v in options.items() if name != "return_dict_in_generate"}
    given, own = options.get("generation_config"), backbone.model.generation_config
    if given is not None and not isinstance(given, GenerationConfig):
        raise ValueError(
            f"`generation_config` must be a GenerationConfig, got {type(given).__name__}."
        )

    def asked(name: str) -> Any:
        return options[name] if name in options else getattr(given, name, None)

    def settled(name: str) -> Any:
        return getattr(own, name, None) if (value := asked(name)) is None else value

    if asked("num_return_sequences") not in (None, 1):
        raise ValueError(
            "`num_return_sequences` must be 1; generate several times, or use `rerank`."
        )
    for name in _NOT_ONE_PASS_A_TOKEN:
        value = options[name] if name in options else settled(name)
        if value not in _OFF:
            raise ValueError(f"`{name}` is not supported: its passes are not one a token.")
    used = 0 if backbone.model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    room = max(1, (backbone.max_length or used + DEFAULT_MAX_NEW_TOKENS) - used)
    if asked("max_new_tokens") is None and asked("max_length") is None:
        # A limit of the model's own that the prompt fills already would leave no room
        fits = (own.max_length or 0) > used and own.max_new_tokens is None
        if not fits:
            most = own.max_new_tokens or DEFAULT_MAX_NEW_TOKENS
            options["max_new_tokens"] = min(most, room)
    if settled("pad_token_id") is None:
        tokenizer = backbone.tokenizer
        pad, end = tokenizer.pad_token_id, tokenizer.eos_token_id
        # Transformers warns where it has to choose one itself
        options["pad_token_id"] = pad if pad is not None else end
    return {"num_return_sequences": 1, **options}


def generate_tokens(
    backbone: LanguageBackbone,
    inputs: dict[str, Any],
    options: dict[str, Any],
    layers: Sequence[int] = ONLY_LAST,
) -> GeneratedTokens:
    """Run ``model.generate`` on a batch of one: greedy, sampling, or beams.

    Hidden states are kept of `layer_numbers`.
    """
    options = generation_options(backbone, inputs, options)
    with captured_hidden(backbone, layers) as steps:
        output = backbone.model.generate(**inputs, **options, return_dict_in_generate=True)
    # Sequences begin with what was given: a decoder's start token, or the prompt
    given = 1 if backbone.model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    token_ids = output.sequences[0, given:].tolist()
    if token_ids and not backbone.reads_step_by_step(output.sequences.shape[1] - 1):
        hidden = _read_again(backbone, inputs, output.sequences, given, layers)
        return GeneratedTokens(token_ids, hidden)
    rows = [0] * len(token_ids)
    # The winning beam may have been another row of the batch at every step
    if (beams := getattr(output, "beam_indices", None)) is not None:
        rows = beams[0, : len(token_ids)].tolist()
    states = [steps[step][row] for step, row in enumerate(rows)]
    empty = torch.empty(0, backbone.layers_width(layers), device=backbone.device)
    return GeneratedTokens(token_ids, torch.stack(states) if states else empty)


def _read_again(
    backbone: LanguageBackbone,
    inputs: dict[str, Any],
    sequences: Tensor,
    given: int,
    layers: Sequence[int],
) -> Tensor:
    """Hidden states that predict all tokens after the first ``given`` ones, from one whole pass."""
    ids = tuple(sequences[0].tolist())
    of_encoder = inputs["input_ids"][0].tolist() if backbone.model.config.is_encoder_decoder else ()
    pair = EncodedPair(ids[:-1], given - 1, ids[given:], (), source_ids=tuple(of_encoder))
    return backbone.target_hidden([pair], layers=layers)
