"""The language model of an estimator, loaded here or read elsewhere, and its prompt."""

from pathlib import Path
from typing import Any

from headwise.backbones import (
    Backbone,
    PromptTemplate,
    States,
    default_prompt,
    load_backbone,
    parse_prompt,
)
from headwise.bundled import ModelLocation
from headwise.heads import check_depth, read_head_info


def backbone_at(
    location: ModelLocation,
    states: str | Path | States | None,
    *,
    device_map: str | dict[str, Any] | None,
    **options: Any,
) -> Backbone:
    """Load a language model, or what turns the hidden states into scores that others give.

    Args:
        location: Where it is, and its head.
        states: Who gives hidden states; ``None`` if they are computed here.
        device_map: How to spread a model that is loaded over devices.
        options: ``dtype``, ``device`` and ``trust_remote_code``.

    Raises:
        ValueError: If a device map is given for what is not loaded.
        StatesError: If states cannot be had.
    """
    if states is None:
        return load_backbone(
            location.backbone,
            device_map=device_map,
            check_depth=lambda depth: check_depth(location.head, depth),
            **options,
        )
    if device_map is not None:
        raise ValueError("`device_map` spreads a model that is loaded; with `states` none is.")
    return States.of(states).backbone(location.backbone, head=location.head, **options)


def prompt_at(
    location: ModelLocation,
    backbone: Backbone,
    prompt: str | dict[str, Any] | PromptTemplate | None,
    *,
    row_languages: bool,
) -> PromptTemplate:
    """The prompt that is asked for, else that of the head, else what suits the language model.

    ``row_languages`` says that rows have the languages that it is not told.
    """
    if prompt is None and location.head is not None:
        prompt = read_head_info(location.head).prompt
    template = default_prompt(backbone) if prompt is None else parse_prompt(prompt)
    return template.bind_row_languages(backbone.tokenizer) if row_languages else template
