"""Frozen models: loading, tokenising, prompts, last hidden states, unembeddings; no head logic."""

from headwise.backbones.base import LanguageBackbone
from headwise.backbones.causal import CausalBackbone
from headwise.backbones.content import weights_digest
from headwise.backbones.encoder import EncoderBackbone
from headwise.backbones.encoder_decoder import EncoderDecoderBackbone
from headwise.backbones.encodings import EncodedPair, EncodedText
from headwise.backbones.loading import Backbone, default_prompt, load_backbone, load_encoder
from headwise.backbones.named_prompts import NAMED_PROMPTS, parse_prompt
from headwise.backbones.prompts import (
    ChatPromptTemplate,
    PromptTemplate,
    SequenceTemplate,
    TextTemplate,
)
from headwise.backbones.unembedding import Unembedding

__all__ = [
    "NAMED_PROMPTS",
    "Backbone",
    "CausalBackbone",
    "ChatPromptTemplate",
    "EncodedPair",
    "EncodedText",
    "EncoderBackbone",
    "EncoderDecoderBackbone",
    "LanguageBackbone",
    "PromptTemplate",
    "SequenceTemplate",
    "TextTemplate",
    "Unembedding",
    "default_prompt",
    "load_backbone",
    "load_encoder",
    "parse_prompt",
    "weights_digest",
]
