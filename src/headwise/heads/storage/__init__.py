"""Heads on disk: one kind a file, saved, recognised and loaded safely; no modules."""
