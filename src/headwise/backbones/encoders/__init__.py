"""Frozen encoders: their texts, hidden states and embeddings; no language models."""
