"""Frozen models from folders and hubs: whole, safe, and as their files say; no reading of texts."""

from headwise.backbones.loading.models import Backbone, default_prompt, load_backbone, load_encoder

__all__ = ["Backbone", "default_prompt", "load_backbone", "load_encoder"]
