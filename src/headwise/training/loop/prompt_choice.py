"""The prompt of a run: the one that was asked for, that of a head, or the model's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headwise.backbones import Backbone, PromptTemplate, default_prompt, parse_prompt
from headwise.heads import read_head_info


def chosen_prompt(
    model: Backbone,
    asked: PromptTemplate | dict[str, Any] | str | None,
    *,
    has_source: bool,
    heads: Sequence[Path | None],
) -> PromptTemplate:
    """The prompt that was asked for, or that of a head."""
    if asked is not None:
        return parse_prompt(asked)
    if not has_source:
        return parse_prompt("raw")
    for folder in heads:
        if folder is not None and (saved := read_head_info(folder).prompt) is not None:
            return parse_prompt(saved)
    return default_prompt(model)
