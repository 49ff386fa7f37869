"""Frozen models: loading, tokenising, prompts, last hidden states, unembeddings; no head logic.

Names are imported when they are used: prompts alone need no PyTorch.
"""

from typing import TYPE_CHECKING

from headwise.lazy_names import lazy_names

if TYPE_CHECKING:
    from headwise.backbones.base import LanguageBackbone
    from headwise.backbones.causal import CausalBackbone
    from headwise.backbones.content import weights_digest
    from headwise.backbones.encoder_decoder import EncoderDecoderBackbone
    from headwise.backbones.encoders.encoder import EncoderBackbone
    from headwise.backbones.encodings import EncodedPair, EncodedText
    from headwise.backbones.loading.models import (
        Backbone,
        default_prompt,
        load_backbone,
        load_encoder,
    )
    from headwise.backbones.prompts.named import NAMED_PROMPTS, parse_prompt
    from headwise.backbones.prompts.templates import (
        ChatPromptTemplate,
        PromptTemplate,
        SequenceTemplate,
        TextTemplate,
    )
    from headwise.backbones.states.backbone import StatesBackbone
    from headwise.backbones.states.choosing import States
    from headwise.backbones.states.files import FilesBackbone
    from headwise.backbones.states.remote import RemoteBackbone
    from headwise.backbones.unembedding import Unembedding

_HOMES = {
    ".base": ("LanguageBackbone",),
    ".causal": ("CausalBackbone",),
    ".content": ("weights_digest",),
    ".encoders.encoder": ("EncoderBackbone",),
    ".encoder_decoder": ("EncoderDecoderBackbone",),
    ".encodings": ("EncodedPair", "EncodedText"),
    ".loading.models": ("Backbone", "default_prompt", "load_backbone", "load_encoder"),
    ".prompts.named": ("NAMED_PROMPTS", "parse_prompt"),
    ".prompts.templates": (
        "ChatPromptTemplate",
        "PromptTemplate",
        "SequenceTemplate",
        "TextTemplate",
    ),
    ".states.backbone": ("StatesBackbone",),
    ".states.choosing": ("States",),
    ".states.files": ("FilesBackbone",),
    ".states.remote": ("RemoteBackbone",),
    ".unembedding": ("Unembedding",),
}

__all__ = [
    "NAMED_PROMPTS",
    "Backbone",
    "CausalBackbone",
    "ChatPromptTemplate",
    "EncodedPair",
    "EncodedText",
    "EncoderBackbone",
    "EncoderDecoderBackbone",
    "FilesBackbone",
    "LanguageBackbone",
    "PromptTemplate",
    "RemoteBackbone",
    "SequenceTemplate",
    "States",
    "StatesBackbone",
    "TextTemplate",
    "Unembedding",
    "default_prompt",
    "load_backbone",
    "load_encoder",
    "parse_prompt",
    "weights_digest",
]

__getattr__ = lazy_names(__name__, _HOMES)
