"""Heads on disk: a table of kinds, and what loads and saves safely by it; no modules."""
