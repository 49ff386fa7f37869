"""Heads that judge tokens; no storage."""
