"""Readers of published corpora in their own layouts; no models."""
