"""How a pair is laid out as one text: templates, their names, chat layouts; no PyTorch."""

from headwise.backbones.prompts.named import NAMED_PROMPTS, parse_prompt
from headwise.backbones.prompts.templates import (
    ChatPromptTemplate,
    PromptTemplate,
    SequenceTemplate,
    TextTemplate,
)

__all__ = [
    "NAMED_PROMPTS",
    "ChatPromptTemplate",
    "PromptTemplate",
    "SequenceTemplate",
    "TextTemplate",
    "parse_prompt",
]
