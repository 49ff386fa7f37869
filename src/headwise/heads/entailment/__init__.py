"""Heads on the vectors of an encoder; no encoder."""
