"""Probabilities, thresholds and guarantees from labelled texts; no models."""
