"""Frozen models from folders and hubs: whole, safe, and as their files say; no reading of texts."""
