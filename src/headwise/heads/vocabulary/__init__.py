"""Heads over a vocabulary, whole or in splits; no training."""
