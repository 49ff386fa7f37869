"""Typed records of texts, scores and marks; no files."""
